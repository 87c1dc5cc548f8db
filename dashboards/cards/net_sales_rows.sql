-- What makes the net sales of the chosen range: its orders, and the refunds given in it as amounts below zero. In the
-- store's currency, empty in another; the newest first.
with ranges as (
    select * from (@ranges) as both_ranges
),

refunds as (
    select
        refunds.order_id,
        refunds.refunded_at,
        refunds.amount
    from facts.fct_refunds as refunds
    inner join ranges
        on
            refunds.workspace = ranges.workspace
            and ranges.range_name = 'chosen'
            and refunds.refunded_at >= ranges.from_at
            and refunds.refunded_at < ranges.until_at
),

movements as (
    select
        'order' as movement,
        order_reference,
        ordered_at as moved_at,
        case when is_store_currency then total end as amount,
        status_slug,
        payment_method
    from (@chosen_orders) as orders

    union all

    select
        'refund' as movement,
        orders.order_reference,
        refunds.refunded_at as moved_at,
        -refunds.amount as amount,
        orders.status_slug,
        orders.payment_method
    from refunds
    left join facts.fct_orders as orders
        on refunds.order_id = orders.order_id
)

select
    movement,
    order_reference,
    moved_at,
    amount,
    status_slug,
    payment_method
from movements
order by moved_at desc, coalesce(order_reference, ''), movement, coalesce(amount, 0)
