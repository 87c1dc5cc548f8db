-- People who answer customers. Their names may be served; customers' may not.
with agents as (
    select * from {{ ref('int_agents') }}
)

select
    agent_id,
    workspace,
    source,
    agent_name,
    is_active
from agents
