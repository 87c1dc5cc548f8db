-- Of each order made in the range after a chat: the agent who wrote last in that conversation before the order.
select order_id, agent_id
from (
    select
        orders.order_id,
        messages.agent_id,
        row_number() over (
            partition by orders.order_id order by messages.sent_at desc, messages.message_order desc
        ) as newest_first
    from (@chosen_orders) as orders
    inner join facts.fct_messages as messages
        on orders.conversation_id = messages.conversation_id and messages.sent_at <= orders.ordered_at
    where messages.is_counted and messages.author_type = 'agent'
) as agents_before
where newest_first = 1
