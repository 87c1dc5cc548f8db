-- The orders behind the shop's figures of the chosen range, the newest first. Those that count as no sale are left out.
-- The link leads to the conversation that the order came after.
select
    orders.order_reference,
    orders.ordered_at,
    orders.order_total,
    orders.order_currency,
    orders.status_slug,
    orders.payment_method,
    orders.city,
    orders.source,
    orders.attribution_gap_seconds,
    coalesce(orders.attribution_gap_seconds <= 259200, false) as is_assisted,
    orders.is_first_order,
    case when orders.is_store_currency then orders.total end as store_total,
    conversations.conversation_url
from (@chosen_orders) as orders
left join facts.fct_conversations as conversations
    on orders.conversation_id = conversations.conversation_id
order by orders.ordered_at desc, orders.order_reference
