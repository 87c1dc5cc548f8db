select
    channel,
    customer,
    conversation_number,
    min(sent_at) as started_at,
    max(sent_at) as last_message_at,
    max(sent_at) + interval 24 hour as closed_at,
    count(*) as messages,
    max_by(author, sent_at) = 'customer' as is_unanswered
from {{ ref('conversation_messages') }}
group by channel, customer, conversation_number
