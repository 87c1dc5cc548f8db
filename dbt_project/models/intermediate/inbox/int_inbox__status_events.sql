-- Status events of exports, each once however often it was exported.
with status_events as (
    select * from {{ ref('stg_inbox__status_events') }}
)

select
    workspace,
    'inbox' as source,
    export_name as account,
    conversation_id as ticket_id,
    status,
    occurred_at,
    -- the best-known actor of one and the same event
    coalesce(max(actor_type) filter (where actor_type <> 'unknown'), 'unknown') as actor_type,
    max(actor_id) as actor_id,
    cast(null as string) as actor_name,
    'event' as evidence
from status_events
group by workspace, export_name, conversation_id, status, occurred_at
