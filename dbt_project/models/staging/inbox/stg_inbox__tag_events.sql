with source as (
    select * from {{ source('inbox', 'tag_events') }}
)

select
    workspace,
    export_name,
    conversation_id,
    tag,
    action,
    occurred_at,
    actor_type,
    actor_id,
    actor_name
from source
