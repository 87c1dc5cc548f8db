-- What was bought in the range, in the store's currency: the lines of its orders, the newest first.
select
    coalesce(items.product_name, '–') as product_name,
    orders.order_reference,
    orders.ordered_at,
    items.quantity,
    items.line_total,
    orders.status_slug,
    conversations.conversation_url
from facts.fct_order_items as items
inner join (@chosen_orders) as orders
    on items.order_id = orders.order_id and orders.is_store_currency
left join facts.fct_conversations as conversations
    on orders.conversation_id = conversations.conversation_id
order by
    orders.ordered_at desc,
    orders.order_reference,
    coalesce(items.product_name, '–'),
    items.quantity desc,
    coalesce(items.line_total, 0) desc
