-- Messages that are not as they were, in what figures of days are made of, each as it was and as it is.
with messages_before as (
    select * from {{ touched('people', 'fct_messages_before') }}
),

messages_now as (
    select * from {{ touched('people', 'fct_messages') }}
),

together as (
    select * from messages_before
    union all
    select * from messages_now
)

select
    message_id,
    conversation_id,
    workspace,
    channel,
    sent_at,
    sent_local_date,
    sent_local_hour,
    author_type,
    agent_id,
    customer_id,
    is_counted
from together
group by
    message_id,
    conversation_id,
    workspace,
    channel,
    sent_at,
    sent_local_date,
    sent_local_hour,
    author_type,
    agent_id,
    customer_id,
    is_counted
having count(*) = 1
