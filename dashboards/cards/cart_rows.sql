-- The carts begun in the chosen range and left at the checkout, the newest first.
with ranges as (
    select * from (@ranges) as both_ranges
)

select
    carts.created_at,
    case when carts.is_store_currency then carts.total end as total,
    carts.coupon_code,
    carts.status,
    carts.completed_at,
    orders.order_reference
from facts.fct_carts as carts
inner join ranges
    on
        carts.workspace = ranges.workspace
        and ranges.range_name = 'chosen'
        and carts.created_at >= ranges.from_at
        and carts.created_at < ranges.until_at
left join facts.fct_orders as orders
    on carts.order_id = orders.order_id
order by carts.created_at desc, coalesce(carts.total, 0) desc, coalesce(orders.order_reference, '')
