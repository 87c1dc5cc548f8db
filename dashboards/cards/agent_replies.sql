-- Replies of each agent per local day.
with chosen_agents as (
    select agent_id, max(agent_name) as agent_name
    from facts.dim_agents
    where {{agent}}
    group by agent_id
)

select
    agent_daily.local_date,
    chosen_agents.agent_name,
    sum(agent_daily.replies) as replies
from marts.mart_agent_daily as agent_daily
inner join (@chosen_dates) as chosen_dates
    on agent_daily.workspace = chosen_dates.workspace and agent_daily.local_date = chosen_dates.local_date
inner join (@chosen_channels) as chosen_channels
    on agent_daily.workspace = chosen_channels.workspace and agent_daily.channel = chosen_channels.channel
inner join chosen_agents
    on agent_daily.agent_id = chosen_agents.agent_id
where agent_daily.replies > 0
group by agent_daily.local_date, chosen_agents.agent_name
order by agent_daily.local_date, chosen_agents.agent_name
