with turns as ((@turns)),

written as (
    select sender_id as agent_id, count(*) as replies, count(distinct conversation_id) as conversations_handled
    from messages
    where account_id = 1 and sender_type = 'User' and created_at >= %(from_at)s and created_at < %(until_at)s
    group by sender_id
),

answered as (
    select
        agent_id,
        count(*) as answered_turns,
        avg(response_seconds) as avg_response_seconds,
        percentile_disc(0.5) within group (order by response_seconds) as response_seconds_p50
    from turns
    where answered_at >= %(from_at)s
    group by agent_id
)

select *
from written
left join answered using (agent_id)
order by replies desc
