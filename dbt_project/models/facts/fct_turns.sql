-- Customers' turns, each with its answer and how long it took on the wall clock and on the business clock.
with turns as (
    select * from {{ ref('int_turns') }}
),

business_seconds as (
    select * from {{ ref('int_turn_business_seconds') }}
),

conversations as (
    select * from {{ ref('int_conversations') }}
),

messages as (
    select * from {{ ref('fct_messages') }}
),

workspaces as (
    select * from {{ ref('stg_settings__workspaces') }}
)

select
    turns.conversation_id || '-' || cast(turns.turn_number as varchar) as turn_id,
    turns.conversation_id,
    conversations.workspace,
    conversations.channel,
    turns.turn_number,
    turns.started_at,
    cast({{ local_timestamp('turns.started_at', 'workspaces.timezone') }} as date) as started_local_date,
    cast(extract(hour from {{ local_timestamp('turns.started_at', 'workspaces.timezone') }}) as integer) as started_local_hour,
    turns.outcome,
    turns.answered_at,
    cast({{ local_timestamp('turns.answered_at', 'workspaces.timezone') }} as date) as answered_local_date,
    turns.ended_at,
    {{ seconds_between('turns.started_at', 'turns.answered_at') }} as response_seconds,
    business_seconds.business_response_seconds,
    turns.first_reply_at,
    turns.wrote_after_close_at,
    turns.turn_number = 1 as is_first,
    messages.agent_id,
    coalesce(messages.author_type = 'unknown', false) as is_answered_by_unknown
from turns
inner join conversations
    on turns.conversation_id = conversations.conversation_id
inner join workspaces
    on conversations.workspace = workspaces.workspace
left join business_seconds
    on turns.conversation_id = business_seconds.conversation_id and turns.turn_number = business_seconds.turn_number
left join messages
    on turns.reply_message_id = messages.message_id
