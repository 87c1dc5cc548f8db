-- Questions and their answers in the conversations that were written in: the last of {customer, agent} before a message
-- tells whether somebody waits for an answer.
with active as (
    select distinct conversation_id
    from messages
    where account_id = 1 and created_at >= %(from_at)s and created_at < %(until_at)s
),

said as (
    select
        messages.conversation_id,
        messages.id,
        messages.created_at,
        messages.sender_id,
        messages.message_type = 0 as is_customers,
        messages.sender_type = 'User' as is_agents,
        row_number() over (partition by messages.conversation_id order by messages.created_at, messages.id) as place
    from messages
    inner join active
        on messages.conversation_id = active.conversation_id
    where messages.created_at < %(until_at)s and not messages.private
),

waits as (
    select
        *,
        coalesce(
            max(case when is_customers then place * 2 + 1 when is_agents then place * 2 end) over (
                partition by conversation_id order by place rows between unbounded preceding and 1 preceding
            ) %% 2 = 1,
            false
        ) as somebody_waits
    from said
),

ends as (
    select *, is_customers and not somebody_waits as begins, is_agents and somebody_waits as answers
    from waits
),

paired as (
    select
        conversation_id,
        begins,
        created_at as started_at,
        case when lead(answers) over conversation then lead(created_at) over conversation end as answered_at,
        case when lead(answers) over conversation then lead(sender_id) over conversation end as agent_id
    from ends
    where begins or answers
    window conversation as (partition by conversation_id order by place)
)

select conversation_id, started_at, answered_at, agent_id, extract(epoch from answered_at - started_at) as response_seconds
from paired
where begins
