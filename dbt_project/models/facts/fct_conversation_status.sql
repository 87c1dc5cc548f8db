{{ config(meta={'stage': 'people', 'touched': {'people.conversations': ['conversation_id']}}) }}

-- Open and closed stretches of every conversation, gapless from its beginning.
with conversations as (
    select * from {{ ref('int_conversations') }}
),

status_changes as (
    select * from {{ ref('int_status_changes') }}
),

first_changes as (
    select conversation_id, min(occurred_at) as first_change_at
    from status_changes
    group by conversation_id
),

beginnings as (
    select
        conversations.conversation_id,
        'open' as status,
        least(
            conversations.started_at,
            coalesce(conversations.created_at, conversations.started_at),
            coalesce(first_changes.first_change_at, conversations.started_at)
        ) as from_at,
        cast(null as string) as changed_by,
        cast(null as string) as actor_type,
        cast(null as string) as actor_id,
        'start' as evidence,
        0 as change_rank
    from conversations
    left join first_changes
        on conversations.conversation_id = first_changes.conversation_id
),

agents as (
    select * from {{ ref('int_agents') }}
),

changes as (
    select
        status_changes.conversation_id,
        status_changes.status,
        status_changes.occurred_at as from_at,
        status_changes.changed_by,
        status_changes.actor_type,
        agents.agent_id as actor_id,
        status_changes.evidence,
        case status_changes.status when 'open' then 1 else 2 end as change_rank
    from status_changes
    inner join conversations
        on status_changes.conversation_id = conversations.conversation_id
    left join agents
        on
            conversations.workspace = agents.workspace
            and conversations.source = agents.source
            and conversations.account = agents.account
            -- only equalities: a condition of one side alone would have each change compared to each agent
            and case when status_changes.actor_type = 'agent' then status_changes.actor_id end = agents.agent_source_id
),

together as (
    select * from beginnings
    union all
    select * from changes
)

select
    conversation_id,
    status,
    from_at,
    lead(from_at) over stretches as to_at,
    case when status = 'closed' then changed_by end as closed_by,
    actor_type,
    actor_id,
    evidence,
    cast(row_number() over stretches as integer) as stretch_number
from together
window stretches as (partition by conversation_id order by from_at, change_rank)
