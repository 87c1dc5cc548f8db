-- How the range's orders were paid.
select
    coalesce(payment_method, '–') as payment_method,
    count(*) as orders,
    sum(case when is_store_currency then total end) as sales,
    cast(1.0 * count(*) / sum(count(*)) over () as decimal(18, 6)) as order_share
from (@chosen_orders) as orders
group by coalesce(payment_method, '–')
order by count(*) desc, coalesce(payment_method, '–')
limit 20
