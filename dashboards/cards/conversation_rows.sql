-- The conversations behind the figures of the chosen range, as they stood at its end; a flag for each figure. Who
-- waits longest comes first, then the newest.
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

conversations as (
    select
        then_conversations.*,
        known.customer_label,
        known.conversation_url,
        chosen_channels.channel_name,
        known.started_at,
        then_conversations.status = 'open' and then_conversations.is_unanswered as is_waiting
    from (@conversations_then) as then_conversations
    inner join facts.fct_conversations as known
        on then_conversations.conversation_id = known.conversation_id
    inner join chosen_channels
        on known.workspace = chosen_channels.workspace and known.channel = chosen_channels.channel
    where then_conversations.range_name = 'chosen' and then_conversations.is_in_range
)

select
    customer_label,
    channel_name,
    started_at,
    last_message_at,
    status,
    closed_by,
    cast(case when is_waiting then wait_seconds end as decimal(18, 6)) as wait_seconds,
    customer_messages,
    agent_messages,
    status = 'open' as is_open,
    status = 'closed' as is_closed,
    is_unread,
    is_waiting,
    is_new,
    status = 'closed' and is_left_unanswered as is_left_unanswered,
    conversation_url
from conversations
order by
    case when is_waiting then wait_seconds else -1 end desc,
    last_message_at desc,
    started_at desc,
    customer_label,
    channel_name,
    coalesce(conversation_url, '')
