-- The shop's figures of the range beside those of the range before it; one row for each of the two. Sums are of orders
-- in the store's currency.
with ranges as (
    select * from (@ranges) as both_ranges
),

orders as (
    select
        ranges.range_name,
        orders.store_customer_id,
        orders.is_first_order,
        orders.is_counted,
        orders.is_reported,
        orders.attribution_gap_seconds,
        windows.window_seconds,
        case when orders.is_store_currency then orders.total end as store_total
    from facts.fct_orders as orders
    inner join ranges
        on
            orders.workspace = ranges.workspace
            and orders.ordered_at >= ranges.from_at
            and orders.ordered_at < ranges.until_at
    inner join (@attribution_windows) as windows
        on orders.workspace = windows.workspace
),

order_figures as (
    select
        range_name,
        sum(case when is_counted then store_total end) as sales,
        count(case when is_counted then 1 end) as orders,
        count(case when is_counted then store_total end) as summed_orders,
        -- null where nobody knows what the merchant ticked
        case
            when count(is_reported) > 0 then coalesce(sum(case when is_reported then store_total end), 0)
        end as reported_sales,
        count(case when is_first_order then 1 end) as new_customers,
        count(case when is_counted and attribution_gap_seconds <= window_seconds then 1 end) as assisted_orders,
        count(case when is_counted and attribution_gap_seconds <= window_seconds then store_total end) as summed_assisted_orders,
        sum(case when is_counted and attribution_gap_seconds <= window_seconds then store_total end) as assisted_sales,
        sum(case when is_counted and attribution_gap_seconds <= 86400 then store_total end) as assisted_sales_1d,
        sum(case when is_counted and attribution_gap_seconds <= 259200 then store_total end) as assisted_sales_3d,
        sum(case when is_counted and attribution_gap_seconds <= 604800 then store_total end) as assisted_sales_7d,
        sum(case when is_counted and attribution_gap_seconds <= 2419200 then store_total end) as assisted_sales_28d
    from orders
    group by range_name
),

returning_figures as (
    select range_name, count(*) as returning_customers
    from (
        select range_name, store_customer_id
        from orders
        where is_counted and store_customer_id is not null
        group by range_name, store_customer_id
        having max(case when is_first_order then 1 else 0 end) = 0
    ) as returning_customers
    group by range_name
),

refund_figures as (
    select
        ranges.range_name,
        sum(refunds.amount) as refunds,
        count(*) as refund_count
    from facts.fct_refunds as refunds
    inner join ranges
        on
            refunds.workspace = ranges.workspace
            and refunds.refunded_at >= ranges.from_at
            and refunds.refunded_at < ranges.until_at
    group by ranges.range_name
),

cart_figures as (
    select
        ranges.range_name,
        count(*) as carts_abandoned,
        count(case when carts.status = 'purchased' then 1 end) as carts_completed
    from facts.fct_carts as carts
    inner join ranges
        on
            carts.workspace = ranges.workspace
            and carts.created_at >= ranges.from_at
            and carts.created_at < ranges.until_at
    group by ranges.range_name
),

first_orders as (
    select workspace, min(ordered_at) as first_ordered_at
    from facts.fct_orders
    group by workspace
),

coverage as (
    select
        ranges.range_name,
        max(case when first_orders.first_ordered_at > ranges.from_at then 1 else 0 end) = 0 as is_covered
    from ranges
    inner join first_orders
        on ranges.workspace = first_orders.workspace
    group by ranges.range_name
),

range_names as (
    select 'chosen' as range_name

    union all

    select 'previous' as range_name
)

select
    range_names.range_name,
    coalesce(coverage.is_covered, false) as is_covered,
    coalesce(order_figures.sales, 0) as sales,
    coalesce(order_figures.orders, 0) as orders,
    cast(order_figures.sales / nullif(order_figures.summed_orders, 0) as decimal(18, 4)) as average_order_value,
    coalesce(refund_figures.refunds, 0) as refunds,
    coalesce(refund_figures.refund_count, 0) as refund_count,
    coalesce(order_figures.sales, 0) - coalesce(refund_figures.refunds, 0) as net_sales,
    order_figures.reported_sales,
    coalesce(order_figures.new_customers, 0) as new_customers,
    coalesce(returning_figures.returning_customers, 0) as returning_customers,
    coalesce(cart_figures.carts_abandoned, 0) as carts_abandoned,
    coalesce(cart_figures.carts_completed, 0) as carts_completed,
    coalesce(order_figures.assisted_orders, 0) as assisted_orders,
    coalesce(order_figures.assisted_sales, 0) as assisted_sales,
    cast(order_figures.assisted_sales / nullif(order_figures.summed_assisted_orders, 0) as decimal(18, 4))
        as average_assisted_value,
    coalesce(order_figures.assisted_sales_1d, 0) as assisted_sales_1d,
    coalesce(order_figures.assisted_sales_3d, 0) as assisted_sales_3d,
    coalesce(order_figures.assisted_sales_7d, 0) as assisted_sales_7d,
    coalesce(order_figures.assisted_sales_28d, 0) as assisted_sales_28d
from range_names
left join coverage
    on range_names.range_name = coverage.range_name
left join order_figures
    on range_names.range_name = order_figures.range_name
left join returning_figures
    on range_names.range_name = returning_figures.range_name
left join refund_figures
    on range_names.range_name = refund_figures.range_name
left join cart_figures
    on range_names.range_name = cart_figures.range_name
order by range_names.range_name
