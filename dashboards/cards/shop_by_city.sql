-- Cities the range's orders went to.
select
    coalesce(city, '–') as city,
    count(*) as orders,
    sum(case when is_store_currency then total end) as sales,
    cast(1.0 * count(*) / sum(count(*)) over () as decimal(18, 6)) as order_share
from (@chosen_orders) as orders
group by coalesce(city, '–')
order by count(*) desc, coalesce(city, '–')
limit 20
