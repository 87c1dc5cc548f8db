{{ config(meta={'stage': 'people', 'touched': {'people.conversations': ['conversation_id']}}) }}

-- Open stretches of conversations with the messages in them: how long a talk took, from first to last message.
with events as (
    select * from {{ ref('int_conversation_events') }}
),

status as (
    select * from {{ ref('fct_conversation_status') }}
),

conversations as (
    select * from {{ ref('int_conversations') }}
),

workspaces as (
    select * from {{ ref('stg_settings__workspaces') }}
),

open_stretches as (
    select
        conversation_id,
        from_at as opened_at,
        to_at as closed_at,
        lead(closed_by) over (partition by conversation_id order by stretch_number) as closed_by,
        lead(evidence) over (partition by conversation_id order by stretch_number) as close_evidence,
        status,
        sum(case when status = 'open' then 1 else 0 end) over (
            partition by conversation_id order by stretch_number rows between unbounded preceding and current row
        ) as episode_number
    from status
),

-- what a customer writes while it is closed belongs to the stretch it brings about; nothing else is in one then
messages_in_episodes as (
    select
        conversation_id,
        case when is_open_before then open_stretch else open_stretch + 1 end as episode_number,
        min(happened_at) as first_message_at,
        max(happened_at) as last_message_at
    from events
    where message_order is not null and (is_open_before or event = 'customer')
    group by conversation_id, case when is_open_before then open_stretch else open_stretch + 1 end
)

select
    open_stretches.conversation_id || '-' || cast(open_stretches.episode_number as string) as episode_id,
    open_stretches.conversation_id,
    conversations.workspace,
    conversations.channel,
    cast(open_stretches.episode_number as integer) as episode_number,
    open_stretches.opened_at,
    open_stretches.closed_at,
    cast({{ local_timestamp('open_stretches.closed_at', 'workspaces.timezone') }} as date) as closed_local_date,
    open_stretches.closed_by,
    messages_in_episodes.first_message_at,
    messages_in_episodes.last_message_at,
    -- a close known from a snapshot only, or from the conversation's absence, tells no duration
    case
        when open_stretches.closed_at is not null and open_stretches.close_evidence not in ('snapshot', 'tombstone')
            then {{ seconds_between('messages_in_episodes.first_message_at', 'messages_in_episodes.last_message_at') }}
    end as duration_seconds
from open_stretches
inner join conversations
    on open_stretches.conversation_id = conversations.conversation_id
inner join workspaces
    on conversations.workspace = workspaces.workspace
left join messages_in_episodes
    on
        open_stretches.conversation_id = messages_in_episodes.conversation_id
        and open_stretches.episode_number = messages_in_episodes.episode_number
where open_stretches.status = 'open'
