{{ config(meta={'stage': 'people', 'touched': {'people.conversations': ['conversation_id']}}) }}

-- One row per conversation, as things stand now.
with conversations as (
    select * from {{ ref('int_conversations') }}
),

status as (
    select * from {{ ref('fct_conversation_status') }}
),

turns as (
    select * from {{ ref('fct_turns') }}
),

unread_spans as (
    select * from {{ ref('fct_unread_spans') }}
),

gone_conversations as (
    select * from {{ ref('int_gone_conversations') }}
),

workspaces as (
    select * from {{ ref('stg_settings__workspaces') }}
),

current_status as (
    select conversation_id, status, closed_by, from_at, stretch_number
    from status
    where to_at is null
),

reopenings as (
    select conversation_id, count(*) - 1 as reopen_count
    from status
    where status = 'open'
    group by conversation_id
),

waiting as (
    select conversation_id, min(started_at) as waiting_since, min(wrote_after_close_at) as wrote_after_close_at
    from turns
    where ended_at is null
    group by conversation_id
),

last_turns as (
    select conversation_id, max_by(outcome, turn_number) as last_outcome
    from turns
    group by conversation_id
),

first_turns as (
    select conversation_id, response_seconds as first_response_seconds
    from turns
    where is_first
),

unread as (
    select conversation_id, min(from_at) as unread_since
    from unread_spans
    where to_at is null
    group by conversation_id
)

select
    conversations.conversation_id,
    conversations.workspace,
    conversations.source,
    conversations.channel,
    conversations.customer_id,
    'Customer ' || upper(left(conversations.customer_id, 6)) as customer_label,
    -- an id that could carry a phone number or an address is not served
    case
        when
            {{ has_pattern('conversations.ticket_id', '^[A-Za-z0-9 _#./-]{1,20}$') }}
            and not {{ has_pattern('conversations.ticket_id', '[0-9]{8,}') }}
            then conversations.ticket_id
    end as ticket_number,
    -- a link to what is no longer there leads nowhere
    case when gone_conversations.conversation_id is null then conversations.conversation_url end as conversation_url,
    current_status.status,
    current_status.closed_by,
    conversations.started_at,
    cast({{ local_timestamp('conversations.started_at', 'workspaces.timezone') }} as date) as started_local_date,
    conversations.last_message_at,
    case when current_status.status = 'closed' then current_status.from_at end as closed_at,
    gone_conversations.gone_at,
    conversations.first_customer_message_at,
    cast({{ local_timestamp('conversations.first_customer_message_at', 'workspaces.timezone') }} as date)
        as first_customer_local_date,
    cast(coalesce(reopenings.reopen_count, 0) as integer) as reopen_count,
    unread.conversation_id is not null as is_unread,
    waiting.conversation_id is not null and current_status.status = 'open' as is_waiting,
    waiting.wrote_after_close_at is not null and current_status.status = 'closed' as is_waiting_after_close,
    waiting.waiting_since,
    conversations.first_customer_message_at is null as is_outbound_only,
    conversations.is_business_started,
    current_status.status = 'closed' and coalesce(last_turns.last_outcome <> 'answered', false) as is_ended_unanswered,
    first_turns.first_response_seconds,
    cast(conversations.customer_messages as bigint) as customer_messages,
    cast(conversations.agent_messages as bigint) as agent_messages,
    cast(conversations.automation_messages as bigint) as automation_messages,
    cast(conversations.unknown_messages as bigint) as unknown_messages
from conversations
inner join workspaces
    on conversations.workspace = workspaces.workspace
inner join current_status
    on conversations.conversation_id = current_status.conversation_id
left join reopenings
    on conversations.conversation_id = reopenings.conversation_id
left join waiting
    on conversations.conversation_id = waiting.conversation_id
left join last_turns
    on conversations.conversation_id = last_turns.conversation_id
left join first_turns
    on conversations.conversation_id = first_turns.conversation_id
left join unread
    on conversations.conversation_id = unread.conversation_id
left join gone_conversations
    on conversations.conversation_id = gone_conversations.conversation_id
