-- The conversations that are no longer as they were, each with the first moment that differs.
with messages as (
    select * from {{ touched('days', 'messages_that_differ') }}
),

status as (
    select * from {{ touched('days', 'status_that_differ') }}
),

turns as (
    select * from {{ touched('days', 'turns_that_differ') }}
),

unread as (
    select * from {{ touched('days', 'unread_that_differ') }}
),

conversations_before as (
    select * from {{ touched('people', 'fct_conversations_before') }}
),

conversations_now as (
    select * from {{ touched('people', 'fct_conversations') }}
),

conversations_as_they_were_and_are as (
    select * from conversations_before
    union all
    select * from conversations_now
),

-- what a conversation itself says of all its days
conversations as (
    select conversation_id
    from conversations_as_they_were_and_are
    group by conversation_id, channel, customer_id, first_customer_message_at, is_outbound_only, is_business_started
    having count(*) = 1
),

moments as (
    select conversation_id, sent_at as differs_at
    from messages

    union all

    select conversation_id, {{ instant('1900-01-01 00:00:00+00') }} as differs_at
    from conversations

    union all

    -- where only the end is another, both are alike up to the earlier end
    select conversation_id, case when count(*) = 2 then min(to_at) else min(from_at) end as differs_at
    from status
    group by conversation_id, stretch_number, status, from_at, closed_by, actor_type, actor_id, evidence

    union all

    select conversation_id, case when count(*) = 2 then min(ended_at) else min(started_at) end as differs_at
    from turns
    group by conversation_id, turn_number, started_at, wrote_after_close_at

    union all

    select conversation_id, case when count(*) = 2 then min(to_at) else min(from_at) end as differs_at
    from unread
    group by conversation_id, span_number, from_at
)

select conversation_id, min(differs_at) as differs_at
from moments
where conversation_id is not null
group by conversation_id
