-- Notices name who did something by display name only: the id behind a name, where one alone ever had it.
with sightings as (select * from {{ ref('stg_chatwoot__agents') }})

select
    workspace,
    account,
    agent_name as actor_name,
    case when agent_type = 'user' then 'agent' else 'automation' end as actor_type,
    case when count(distinct agent_id) = 1 then min(agent_id) end as actor_id
from sightings
where agent_name is not null
group by workspace, account, agent_name, case when agent_type = 'user' then 'agent' else 'automation' end
