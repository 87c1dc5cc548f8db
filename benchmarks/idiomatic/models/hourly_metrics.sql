select
    date_trunc('hour', timezone('Asia/Riyadh', sent_at)) as local_hour,
    channel,
    count(*) as messages,
    count(*) filter (author = 'customer') as customer_messages
from {{ ref('conversation_messages') }}
group by all
