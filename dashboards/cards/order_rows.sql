-- The orders behind the shop's figures of the chosen range, the newest first, with totals in the store's currency.
-- Those that count as no sale are left out. The link leads to the conversation that the order came after.
with ranges as (
    select * from (@ranges) as both_ranges
),

carried_tags as (
    select * from (@carried_tags) as tags
)

select
    orders.order_reference,
    orders.ordered_at,
    orders.ordered_local_hour as hour_of_day,
    case when orders.is_store_currency then orders.total end as total,
    orders.status_slug,
    coalesce(orders.payment_method, '–') as payment_method,
    coalesce(orders.city, '–') as city,
    coalesce(orders.source, '–') as source,
    orders.attribution_gap_seconds,
    agents.agent_name,
    orders.is_assisted,
    coalesce(orders.is_first_order, false) as is_first_order,
    conversations.conversation_url
from (@orders_after_chats) as orders
left join facts.fct_conversations as conversations
    on orders.conversation_id = conversations.conversation_id
left join (@last_agents) as last_agents
    on orders.order_id = last_agents.order_id
left join (@agent_names) as agents
    on last_agents.agent_id = agents.agent_id
where
    1 = 1
    [[and orders.conversation_id in (
        select conversation_id
        from carried_tags
        where range_name = 'chosen' and tag in (select tag from facts.fct_tags where {{tag}})
    )]]
order by orders.ordered_at desc, orders.order_reference
