with source as (
    select * from {{ source('inbox', 'status_events') }}
)

select
    workspace,
    export_name,
    conversation_id,
    status,
    occurred_at,
    actor_type,
    actor_id
from source
