-- The customers who wrote in the chosen range, each once, with their newest conversation; who wrote most comes first.
with ranges as (
    select * from (@ranges) as both_ranges
),

chosen_channels as (
    select *
    from facts.dim_channels
    where {{channel}}
),

carried_tags as (
    select * from (@carried_tags) as tags
),

messages as (
    select *
    from (@range_messages) as counted_messages
    where range_name = 'chosen' and author_type = 'customer'
),

customers as (
    select
        customer_id,
        count(*) as customer_messages,
        count(distinct conversation_id) as conversations,
        min(sent_at) as first_message_at,
        max(sent_at) as last_message_at
    from messages
    where customer_id is not null
    group by customer_id
),

newest_conversations as (
    select
        messages.customer_id,
        conversations.customer_label,
        conversations.conversation_url,
        row_number() over (
            partition by messages.customer_id order by messages.sent_at desc, conversations.started_at desc
        ) as newest_first
    from messages
    inner join facts.fct_conversations as conversations
        on messages.conversation_id = conversations.conversation_id
)

select
    newest_conversations.customer_label,
    customers.customer_messages,
    customers.conversations,
    customers.first_message_at,
    customers.last_message_at,
    newest_conversations.conversation_url
from customers
left join newest_conversations
    on customers.customer_id = newest_conversations.customer_id and newest_conversations.newest_first = 1
order by
    customers.customer_messages desc,
    customers.last_message_at desc,
    customers.first_message_at,
    coalesce(newest_conversations.customer_label, '')
