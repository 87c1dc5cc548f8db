-- The stretches behind the average length: those that conversations were open and that ended in the chosen range, the
-- longest first.
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
    select * from (@chosen_conversations) as then_conversations
)

select
    conversations.customer_label,
    conversations.channel_name,
    episodes.first_message_at,
    episodes.last_message_at,
    episodes.closed_at,
    episodes.closed_by,
    episodes.duration_seconds,
    conversations.conversation_url
from conversations
inner join facts.fct_episodes as episodes
    on
        conversations.conversation_id = episodes.conversation_id
        and episodes.closed_at >= conversations.from_at
        and episodes.closed_at < conversations.until_at
where episodes.duration_seconds is not null
order by
    episodes.duration_seconds desc,
    episodes.closed_at desc,
    conversations.customer_label,
    conversations.channel_name,
    coalesce(conversations.conversation_url, '')
