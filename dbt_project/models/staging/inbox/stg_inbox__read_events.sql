with source as (
    select * from {{ source('inbox', 'read_events') }}
)

select
    workspace,
    export_name,
    conversation_id,
    read_at,
    agent_id
from source
