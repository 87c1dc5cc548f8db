-- Orders after a chat by the agent who wrote last in it before the order; a row without a name where no agent did.
select
    agents.agent_name,
    count(*) as assisted_orders,
    sum(case when orders.is_store_currency then orders.total end) as assisted_sales
from (@orders_after_chats) as orders
left join (@last_agents) as last_agents
    on orders.order_id = last_agents.order_id
left join (@agent_names) as agents
    on last_agents.agent_id = agents.agent_id
where orders.is_assisted
group by agents.agent_name
order by count(*) desc, agents.agent_name nulls last
