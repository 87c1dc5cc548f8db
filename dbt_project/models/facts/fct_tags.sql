-- Every application and removal of a tag: which, on what, when, by whom, and how we know.
with inbox as (
    select * from {{ ref('int_inbox__tag_events') }}
),

chatwoot as (
    select * from {{ ref('int_chatwoot__tag_events') }}
),

tickets as (
    select * from {{ ref('int_tickets') }}
),

conversations as (
    select * from {{ ref('int_conversations') }}
),

agents as (
    select * from {{ ref('int_agents') }}
),

workspaces as (
    select * from {{ ref('stg_settings__workspaces') }}
),

tag_events as (
    select * from inbox
    union all
    select * from chatwoot
)

select
    tickets.conversation_id,
    tickets.workspace,
    tickets.channel,
    tag_events.tag,
    tag_events.action,
    tag_events.actor_type,
    -- who may be named: the team and its rules, never a customer
    coalesce(
        agents.agent_id,
        case when tag_events.actor_type in ('automation', 'system') then tag_events.actor_id end
    ) as actor_id,
    case
        when tag_events.actor_type in ('agent', 'automation', 'system')
            then coalesce(tag_events.actor_name, agents.agent_name)
    end as actor_name,
    tag_events.occurred_at,
    cast({{ local_timestamp('tag_events.occurred_at', 'workspaces.timezone') }} as date) as occurred_local_date,
    {{ seconds_between('conversations.started_at', 'tag_events.occurred_at') }} as seconds_from_start,
    tag_events.evidence,
    tag_events.is_baseline
from tag_events
inner join tickets
    on
        tag_events.workspace = tickets.workspace
        and tag_events.source = tickets.source
        and tag_events.account = tickets.account
        and tag_events.ticket_id = tickets.ticket_id
inner join conversations
    on tickets.conversation_id = conversations.conversation_id
inner join workspaces
    on tag_events.workspace = workspaces.workspace
left join agents
    on
        tag_events.workspace = agents.workspace
        and tag_events.source = agents.source
        and tag_events.account = agents.account
        -- only equalities: a condition of one side alone would have each event compared to each agent
        and case when tag_events.actor_type = 'agent' then tag_events.actor_id end = agents.agent_source_id
where tag_events.occurred_at < workspaces.as_of
