with source as (
    select * from {{ source('inbox', 'messages') }}
)

select
    workspace,
    export_name,
    message_id,
    conversation_id,
    sent_at,
    author_type,
    author_id,
    author_name,
    message_type,
    text_length,
    delivery_status,
    sequence,
    updated_at,
    received_at,
    landing_file,
    landing_line
from source
