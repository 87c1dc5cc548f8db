-- The stretches behind the average length: those that conversations were open and that ended in the chosen range, the
-- longest first.
with conversations as (
    select *
    from (@conversations_then) as then_conversations
    where range_name = 'chosen'
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
