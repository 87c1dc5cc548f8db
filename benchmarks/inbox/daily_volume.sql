with turns as ((@turns)),

days as (
    select
        cast(timezone('Asia/Riyadh', timezone('UTC', created_at)) as date) as local_date,
        count(*) filter (where message_type = 0) as customer_messages,
        count(*) filter (where sender_type = 'User') as agent_messages,
        count(*) filter (where sender_type = 'AgentBot') as automation_messages,
        count(distinct conversation_id) as conversations
    from messages
    where account_id = 1 and created_at >= %(from_at)s and created_at < %(until_at)s
    group by 1
),

answers as (
    select
        cast(timezone('Asia/Riyadh', timezone('UTC', answered_at)) as date) as local_date,
        avg(response_seconds) as avg_response_seconds
    from turns
    where answered_at >= %(from_at)s
    group by 1
)

select *
from days
left join answers using (local_date)
order by local_date
