-- Agents' reads of exports, each once.
with read_events as (
    select * from {{ ref('stg_inbox__read_events') }}
)

select
    workspace,
    'inbox' as source,
    export_name as account,
    conversation_id as ticket_id,
    read_at,
    agent_id,
    'event' as evidence
from read_events
group by workspace, export_name, conversation_id, read_at, agent_id
