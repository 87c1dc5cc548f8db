-- The store's figures per local day. Sums are in the store's currency; orders that cannot be told in it are counted
-- apart.
with orders as (
    select * from {{ ref('fct_orders') }}
),

refunds as (
    select * from {{ ref('fct_refunds') }}
),

carts as (
    select * from {{ ref('fct_carts') }}
),

order_days as (
    select
        workspace,
        ordered_local_date as local_date,
        coalesce(sum(total) filter (where is_counted and is_store_currency), 0) as sales,
        count(*) filter (where is_counted) as orders,
        count(*) filter (where is_counted and is_store_currency) as summed_orders,
        count(*) filter (where is_counted and not is_store_currency) as orders_in_other_currency,
        sum(total) filter (where is_reported and is_store_currency) as reported_sales,
        count(*) filter (where is_reported) as reported_orders,
        count(is_reported) as orders_with_known_report,
        count(*) filter (where status_slug = 'canceled' and not is_deleted) as canceled_orders,
        count(*) filter (where is_first_order) as new_customers,
        count(*) filter (where is_counted and payment_method = 'cod') as cod_orders,
        sum(total) filter (where is_counted and is_store_currency and payment_method = 'cod') as cod_sales,
        count(*) filter (
            where is_counted and attribution_gap_seconds <= 86400
        ) as assisted_orders_1d,
        sum(total) filter (
            where is_counted and is_store_currency and attribution_gap_seconds <= 86400
        ) as assisted_sales_1d,
        count(*) filter (
            where is_counted and attribution_gap_seconds <= 259200
        ) as assisted_orders_3d,
        sum(total) filter (
            where is_counted and is_store_currency and attribution_gap_seconds <= 259200
        ) as assisted_sales_3d,
        count(*) filter (
            where is_counted and attribution_gap_seconds <= 604800
        ) as assisted_orders_7d,
        sum(total) filter (
            where is_counted and is_store_currency and attribution_gap_seconds <= 604800
        ) as assisted_sales_7d,
        count(*) filter (
            where is_counted and attribution_gap_seconds <= 2419200
        ) as assisted_orders_28d,
        sum(total) filter (
            where is_counted and is_store_currency and attribution_gap_seconds <= 2419200
        ) as assisted_sales_28d
    from orders
    group by workspace, ordered_local_date
),

customer_days as (
    select
        workspace,
        ordered_local_date,
        store_customer_id,
        max(case when is_first_order then 1 else 0 end) as has_first_order
    from orders
    where is_counted and store_customer_id is not null
    group by workspace, ordered_local_date, store_customer_id
),

returning_days as (
    select workspace, ordered_local_date as local_date, count(*) as returning_customers
    from customer_days
    where has_first_order = 0
    group by workspace, ordered_local_date
),

refund_days as (
    select
        workspace,
        refunded_local_date as local_date,
        coalesce(sum(amount), 0) as refunds,
        count(*) as refund_count
    from refunds
    group by workspace, refunded_local_date
),

cart_days as (
    select
        workspace,
        created_local_date as local_date,
        count(*) as carts_abandoned,
        coalesce(sum(total) filter (where is_store_currency), 0) as carts_abandoned_value,
        count(*) filter (where status = 'purchased') as carts_completed,
        coalesce(sum(total) filter (where status = 'purchased' and is_store_currency), 0) as carts_completed_value
    from carts
    group by workspace, created_local_date
),

days as (
    select workspace, local_date from order_days
    union
    select workspace, local_date from refund_days
    union
    select workspace, local_date from cart_days
)

select
    days.local_date,
    days.workspace,
    cast(coalesce(order_days.sales, 0) as decimal(38, 4)) as sales,
    coalesce(order_days.orders, 0) as orders,
    coalesce(order_days.summed_orders, 0) as summed_orders,
    coalesce(order_days.orders_in_other_currency, 0) as orders_in_other_currency,
    cast(cast(order_days.sales as double) / nullif(order_days.summed_orders, 0) as decimal(18, 4)) as average_order_value,
    cast(coalesce(refund_days.refunds, 0) as decimal(38, 4)) as refunds,
    coalesce(refund_days.refund_count, 0) as refund_count,
    cast(coalesce(order_days.sales, 0) - coalesce(refund_days.refunds, 0) as decimal(38, 4)) as net_sales,
    -- null where nobody knows what the merchant ticked, 0 where the ticked statuses had none
    cast(
        case when order_days.orders_with_known_report > 0 then coalesce(order_days.reported_sales, 0) end
        as decimal(38, 4)
    ) as reported_sales,
    case when order_days.orders_with_known_report > 0 then order_days.reported_orders end as reported_orders,
    coalesce(order_days.canceled_orders, 0) as canceled_orders,
    coalesce(order_days.new_customers, 0) as new_customers,
    coalesce(returning_days.returning_customers, 0) as returning_customers,
    coalesce(order_days.cod_orders, 0) as cod_orders,
    cast(coalesce(order_days.cod_sales, 0) as decimal(38, 4)) as cod_sales,
    coalesce(cart_days.carts_abandoned, 0) as carts_abandoned,
    cast(coalesce(cart_days.carts_abandoned_value, 0) as decimal(38, 4)) as carts_abandoned_value,
    coalesce(cart_days.carts_completed, 0) as carts_completed,
    cast(coalesce(cart_days.carts_completed_value, 0) as decimal(38, 4)) as carts_completed_value,
    coalesce(order_days.assisted_orders_1d, 0) as assisted_orders_1d,
    cast(coalesce(order_days.assisted_sales_1d, 0) as decimal(38, 4))
        as assisted_sales_1d,
    coalesce(order_days.assisted_orders_3d, 0) as assisted_orders_3d,
    cast(coalesce(order_days.assisted_sales_3d, 0) as decimal(38, 4))
        as assisted_sales_3d,
    coalesce(order_days.assisted_orders_7d, 0) as assisted_orders_7d,
    cast(coalesce(order_days.assisted_sales_7d, 0) as decimal(38, 4))
        as assisted_sales_7d,
    coalesce(order_days.assisted_orders_28d, 0) as assisted_orders_28d,
    cast(coalesce(order_days.assisted_sales_28d, 0) as decimal(38, 4))
        as assisted_sales_28d
from days
left join order_days
    on
        days.workspace = order_days.workspace
        and days.local_date = order_days.local_date
left join returning_days
    on
        days.workspace = returning_days.workspace
        and days.local_date = returning_days.local_date
left join refund_days
    on
        days.workspace = refund_days.workspace
        and days.local_date = refund_days.local_date
left join cart_days
    on
        days.workspace = cart_days.workspace
        and days.local_date = cart_days.local_date
