-- Each agent's name, once.
select agent_id, max(agent_name) as agent_name
from facts.dim_agents
group by agent_id
