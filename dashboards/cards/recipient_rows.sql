-- Whom campaigns and templates were sent to in the range, what became of it and when the customer wrote back, at most 24
-- hours later; the newest first.
with sends as (
    select
        messages.*,
        chosen_channels.channel_name
    from facts.fct_messages as messages
    inner join (@chosen_dates) as chosen_dates
        on messages.workspace = chosen_dates.workspace and messages.sent_local_date = chosen_dates.local_date
    inner join (@chosen_channels) as chosen_channels
        on messages.workspace = chosen_channels.workspace and messages.channel = chosen_channels.channel
    where messages.campaign is not null and not messages.is_group and not messages.is_missing_in_inbox
),

replies as (
    select sends.message_id, min(answers.sent_at) as replied_at
    from sends
    inner join facts.fct_messages as answers
        on
            sends.customer_id = answers.customer_id
            and sends.channel = answers.channel
            and answers.author_type = 'customer'
            and answers.is_counted
            and answers.sent_at > sends.sent_at
            and extract(epoch from answers.sent_at - sends.sent_at) <= 86400
    where sends.is_counted
    group by sends.message_id
)

select
    customers.customer_label,
    sends.campaign,
    sends.channel_name,
    sends.sent_at,
    sends.sent_local_hour as hour_of_day,
    case sends.delivery_status when 'played' then 'read' else coalesce(sends.delivery_status, 'sent') end as delivery_status,
    replies.replied_at,
    sends.is_counted as is_sent,
    conversations.conversation_url
from sends
left join replies
    on sends.message_id = replies.message_id
left join facts.dim_customers as customers
    on sends.customer_id = customers.customer_id
left join facts.fct_conversations as conversations
    on sends.conversation_id = conversations.conversation_id
order by
    sends.sent_at desc,
    sends.campaign,
    coalesce(customers.customer_label, ''),
    sends.channel_name,
    coalesce(replies.replied_at, sends.sent_at),
    coalesce(conversations.conversation_url, '')
