-- The conversations that tell something of the periods: with a message or a beginning in one, or what ended in one.
with messages as (
    select * from {{ touched('periods', 'fct_messages') }}
),

periods as (
    select min(previous_from_at) as from_at from {{ ref('dim_periods') }}
),

conversations as (
    select * from {{ ref('fct_conversations') }}
),

turns as (
    select * from {{ ref('fct_turns') }}
),

episodes as (
    select * from {{ ref('fct_episodes') }}
)

select conversation_id
from messages
where conversation_id is not null

union

select conversation_id
from conversations
where first_customer_message_at >= (select from_at from periods)

union

select conversation_id
from turns
where answered_at >= (select from_at from periods) or started_at >= (select from_at from periods)

union

select conversation_id
from episodes
where closed_at >= (select from_at from periods)
