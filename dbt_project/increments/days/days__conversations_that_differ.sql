-- The conversations that are no longer as they were, each with the first moment that differs.
with messages_before as (
    select * from {{ touched('people', 'fct_messages_before') }}
),

messages_now as (
    select * from {{ touched('people', 'fct_messages') }}
),

conversations_before as (
    select * from {{ touched('people', 'fct_conversations_before') }}
),

conversations_now as (
    select * from {{ touched('people', 'fct_conversations') }}
),

status_before as (
    select * from {{ touched('people', 'fct_conversation_status_before') }}
),

status_now as (
    select * from {{ touched('people', 'fct_conversation_status') }}
),

turns_before as (
    select * from {{ touched('people', 'fct_turns_before') }}
),

turns_now as (
    select * from {{ touched('people', 'fct_turns') }}
),

unread_before as (
    select * from {{ touched('people', 'fct_unread_spans_before') }}
),

unread_now as (
    select * from {{ touched('people', 'fct_unread_spans') }}
),

messages as (
    (select * from messages_before except all select * from messages_now)
    union all
    (select * from messages_now except all select * from messages_before)
),

-- what a conversation itself says of all its days
conversations_told_before as (
    select conversation_id, channel, customer_id, first_customer_message_at, is_outbound_only, is_business_started
    from conversations_before
),

conversations_told_now as (
    select conversation_id, channel, customer_id, first_customer_message_at, is_outbound_only, is_business_started
    from conversations_now
),

conversations as (
    (select * from conversations_told_before except all select * from conversations_told_now)
    union all
    (select * from conversations_told_now except all select * from conversations_told_before)
),

status as (
    (select * from status_before except all select * from status_now)
    union all
    (select * from status_now except all select * from status_before)
),

turns as (
    (select * from turns_before except all select * from turns_now)
    union all
    (select * from turns_now except all select * from turns_before)
),

unread as (
    (select * from unread_before except all select * from unread_now)
    union all
    (select * from unread_now except all select * from unread_before)
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
