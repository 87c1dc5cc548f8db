-- When an agent looked at a conversation, where the source tells.
with reads as (
    select * from {{ ref('int_reads') }}
),

agents as (
    select * from {{ ref('int_agents') }}
)

select
    reads.conversation_id,
    reads.workspace,
    reads.read_at,
    agents.agent_id,
    reads.evidence
from reads
left join agents
    on
        reads.workspace = agents.workspace
        and reads.source = agents.source
        and reads.account = agents.account
        and reads.agent_source_id = agents.agent_source_id
