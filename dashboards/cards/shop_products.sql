-- What was bought in the range, the most money first.
select
    coalesce(items.product_name, '–') as product_name,
    sum(items.quantity) as quantity,
    count(distinct items.order_id) as orders,
    sum(items.line_total) as sales
from facts.fct_order_items as items
inner join (@chosen_orders) as orders
    on items.order_id = orders.order_id and orders.is_store_currency
group by coalesce(items.product_name, '–')
order by sum(items.line_total) desc, coalesce(items.product_name, '–')
limit 20
