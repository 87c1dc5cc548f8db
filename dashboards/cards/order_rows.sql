-- The orders behind the shop's figures of the chosen range, the newest first, with totals in the store's currency.
-- Those that count as no sale are left out. The link leads to the conversation that the order came after.
select
    orders.order_reference,
    orders.ordered_at,
    case when orders.is_store_currency then orders.total end as total,
    orders.status_slug,
    orders.payment_method,
    orders.city,
    orders.attribution_gap_seconds,
    coalesce(orders.attribution_gap_seconds <= 259200, false) as is_assisted,
    coalesce(orders.is_first_order, false) as is_first_order,
    conversations.conversation_url
from (@chosen_orders) as orders
left join facts.fct_conversations as conversations
    on orders.conversation_id = conversations.conversation_id
order by orders.ordered_at desc, orders.order_reference
