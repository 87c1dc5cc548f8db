-- The conversations behind the figures of the chosen range, as they stood at its end, and those that were open then
-- without a message in it; a flag for each figure. Who waits longest comes first, then the newest.
with ranges as (
    select * from (@ranges) as both_ranges
),

chosen_channels as (
    select *
    from facts.dim_channels
    where {{channel}}
),

carried_tags as (
    select * from (@carried_tags) as tags
),

messages as (
    select * from (@range_messages) as counted_messages
),

-- materialized: PostgreSQL would take it apart and join in loops, twenty times slower
conversations as materialized (
    select
        *,
        status = 'open' and is_unanswered as is_waiting_then
    from (@chosen_conversations) as then_conversations
    where is_in_range or status = 'open'
)

select
    customer_label,
    channel_name,
    started_at,
    last_message_at,
    status,
    closed_by,
    cast(case when is_waiting_then then wait_seconds end as decimal(18, 6)) as wait_seconds,
    customer_messages,
    agent_messages,
    is_in_range,
    is_in_range and status = 'open' as is_open,
    is_in_range and status = 'closed' as is_closed,
    is_in_range and is_unread as is_unread,
    is_in_range and is_waiting_then as is_waiting,
    is_new,
    status = 'closed' and is_left_unanswered as is_left_unanswered,
    status = 'open' as is_open_at_end,
    conversation_url
from conversations
order by
    case when is_waiting_then then wait_seconds else -1 end desc,
    coalesce(last_message_at, started_at) desc,
    started_at desc,
    customer_label,
    channel_name,
    coalesce(conversation_url, '')
