select
    channel,
    sum(messages) as messages,
    sum(customer_messages) as customer_messages,
    sum(answered_turns) as answered_turns,
    sum(avg_response_seconds * answered_turns) / sum(answered_turns) as avg_response_seconds
from {{ ref('daily_metrics') }}
where local_date >= (select max(local_date) - 30 from {{ ref('daily_metrics') }})
group by channel
