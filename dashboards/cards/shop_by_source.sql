-- Where the range's orders came from.
select
    coalesce(source, '–') as source,
    count(*) as orders,
    sum(case when is_store_currency then total end) as sales,
    cast(1.0 * count(*) / sum(count(*)) over () as decimal(18, 6)) as order_share
from (@chosen_orders) as orders
group by coalesce(source, '–')
order by count(*) desc, coalesce(source, '–')
limit 20
