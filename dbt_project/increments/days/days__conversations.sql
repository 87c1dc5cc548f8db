-- The conversations that tell something of these days: with a message or a beginning in one, open in one, written to after
-- their close, answered, closed or ended in one.
with days as (
    select * from {{ touched('days', 'dim_days') }}
),

messages as (
    select * from {{ touched('days', 'fct_messages') }}
),

conversations as (
    select * from {{ ref('fct_conversations') }}
),

status as (
    select * from {{ ref('fct_conversation_status') }}
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
where (workspace, first_customer_local_date) in (select workspace, local_date from days)

union

-- whose workspace does not matter: more than are needed change nothing
select status.conversation_id
from status
inner join days
    on
        status.from_at < days.ends_at
        and (
            status.from_at >= days.starts_at
            or (status.status = 'open' and (status.to_at is null or status.to_at >= days.starts_at))
        )

union

select turns.conversation_id
from turns
inner join days
    on
        turns.wrote_after_close_at < days.ends_at
        and (turns.ended_at is null or turns.ended_at >= days.starts_at)
where turns.wrote_after_close_at is not null

union

select conversation_id
from turns
where
    (workspace, started_local_date) in (select workspace, local_date from days)
    or (workspace, answered_local_date) in (select workspace, local_date from days)

union

select conversation_id
from episodes
where (workspace, closed_local_date) in (select workspace, local_date from days)
