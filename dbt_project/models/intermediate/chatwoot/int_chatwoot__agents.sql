-- The people who answer. Whoever the newest list of agents lacks has left, unless they did something after it.
with sightings as (select * from {{ ref('stg_chatwoot__agents') }}),

users as (
    select * from sightings
    where agent_type = 'user'
),

newest_lists as (
    select workspace, account, max(observed_at) as listed_at
    from users
    where seen_as = 'index'
    group by workspace, account
),

ordered as (
    select
        *,
        row_number() over (
            partition by workspace, account, agent_id
            order by
                observed_at desc nulls last, received_at desc nulls last,
                landing_file desc, landing_line desc, position desc,
                seen_as asc
        ) as age
    from users
),

agents as (
    select
        workspace,
        account,
        agent_id,
        min_by(agent_name, age) filter (where agent_name is not null) as agent_name,
        -- a ticket may stay assigned to someone who has left
        max(observed_at) filter (where seen_as <> 'assignee') as last_active_at
    from ordered
    group by workspace, account, agent_id
)

select
    agents.workspace,
    'chatwoot' as source,
    agents.account,
    agents.agent_id,
    agents.agent_name,
    case
        when newest_lists.listed_at is null then true
        else coalesce(agents.last_active_at >= newest_lists.listed_at, false)
    end as is_active
from agents
left join newest_lists on agents.workspace = newest_lists.workspace and agents.account = newest_lists.account
