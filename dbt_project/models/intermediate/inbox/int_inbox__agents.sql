-- Agents who wrote, closed, tagged or read in an export.
with messages as (
    select * from {{ ref('stg_inbox__messages') }}
),

tag_events as (
    select * from {{ ref('stg_inbox__tag_events') }}
),

status_events as (
    select * from {{ ref('stg_inbox__status_events') }}
),

read_events as (
    select * from {{ ref('stg_inbox__read_events') }}
),

seen as (
    select workspace, export_name, author_id as agent_id, author_name as agent_name
    from messages
    where author_type = 'agent' and author_id is not null

    union all

    select workspace, export_name, actor_id as agent_id, actor_name as agent_name
    from tag_events
    where actor_type = 'agent' and actor_id is not null

    union all

    select workspace, export_name, actor_id as agent_id, null as agent_name
    from status_events
    where actor_type = 'agent' and actor_id is not null

    union all

    select workspace, export_name, agent_id, null as agent_name
    from read_events
    where agent_id is not null
)

select
    workspace,
    'inbox' as source,
    export_name as account,
    agent_id,
    max(agent_name) as agent_name,
    true as is_active
from seen
group by workspace, export_name, agent_id
