with messages as (
    select
        cast(timezone('Asia/Riyadh', sent_at) as date) as local_date,
        channel,
        count(*) as messages,
        count(*) filter (author = 'customer') as customer_messages,
        count(*) filter (author = 'agent') as agent_messages,
        count(distinct customer) filter (author = 'customer') as unique_customers,
        count(distinct channel || customer || conversation_number) as total_conversations
    from {{ ref('conversation_messages') }}
    group by all
),

turns as (
    select
        cast(timezone('Asia/Riyadh', answered_at) as date) as local_date,
        channel,
        count(*) as answered_turns,
        avg(epoch(answered_at - started_at)) as avg_response_seconds
    from {{ ref('turns') }}
    where answered_at is not null
    group by all
),

closed as (
    select
        cast(timezone('Asia/Riyadh', closed_at) as date) as local_date,
        channel,
        count(*) as closed_conversations,
        avg(epoch(last_message_at - started_at)) as avg_duration_seconds
    from {{ ref('conversations') }}
    group by all
)

select *
from messages
left join turns using (local_date, channel)
left join closed using (local_date, channel)
