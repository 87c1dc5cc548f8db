with turns as ((@turns)),

conversations as (
    select
        messages.conversation_id,
        min(messages.created_at) filter (where messages.message_type = 0) as first_customer_at,
        max(messages.created_at) as last_at,
        max(messages.created_at) filter (where messages.message_type = 0) as last_customer_at,
        max(messages.created_at) filter (where messages.sender_type = 'User') as last_agent_at
    from messages
    where
        messages.created_at < %(until_at)s
        and messages.conversation_id in (
            select conversation_id
            from messages
            where account_id = 1 and created_at >= %(from_at)s and created_at < %(until_at)s
        )
    group by messages.conversation_id
),

stood as (
    select
        count(*) as total_conversations,
        count(*) filter (where first_customer_at >= %(from_at)s) as new_conversations,
        count(*) filter (where last_at + interval '24 hours' >= %(until_at)s) as open_conversations,
        count(*) filter (where last_agent_at is null or last_customer_at > last_agent_at) as unread_conversations
    from conversations
    where first_customer_at is not null
),

counted as (
    select
        count(*) as messages,
        count(*) filter (where message_type = 0) as customer_messages,
        count(*) filter (where sender_type = 'User' and sender_id is not null) as agent_messages,
        count(distinct sender_id) filter (where message_type = 0) as unique_customers
    from messages
    where account_id = 1 and created_at >= %(from_at)s and created_at < %(until_at)s
),

answered as (
    select
        count(*) as answered_turns,
        avg(response_seconds) as avg_response_seconds,
        percentile_disc(0.5) within group (order by response_seconds) as response_seconds_p50,
        percentile_disc(0.9) within group (order by response_seconds) as response_seconds_p90
    from turns
    where answered_at >= %(from_at)s and answered_at < %(until_at)s
)

select *
from stood
cross join counted
cross join answered
