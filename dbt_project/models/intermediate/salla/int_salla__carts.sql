-- One row per abandoned cart as of as_of, with the order it became.
-- The order is named by a payment, else by the order itself, else it is an order that Salla says came of an abandoned
-- cart: then the customer's newest cart before it.
with sightings as (
    select * from {{ ref('stg_salla__carts') }}
),

customers as (
    select * from {{ ref('stg_salla__customers') }}
    where seen_in = 'cart'
),

transactions as (
    select * from {{ ref('stg_salla__transactions') }}
),

orders as (
    select * from {{ ref('int_salla__orders') }}
),

stores as (
    select * from {{ ref('stg_salla__stores') }}
),

placed as (
    select
        sightings.*,
        customers.phone,
        stores.as_of,
        stores.currency as store_currency
    from sightings
    inner join stores
        on sightings.workspace = stores.workspace
    left join customers
        on
            sightings.workspace = customers.workspace
            and sightings.landing_file = customers.landing_file
            and sightings.landing_line = customers.landing_line
            and sightings.position = customers.position - 1
),

ranked as (
    select
        *,
        row_number() over (
            partition by workspace, cart_id
            order by
                coalesce(observed_at < as_of, true),
                case when observed_at < as_of then observed_at end nulls first,
                case when observed_at >= as_of then observed_at end desc nulls last,
                case when status = 'purchased' then 2 else 1 end,
                object_hash,
                landing_file asc,
                landing_line asc,
                position asc
        ) as freshness
    from placed
),

newest as (
    select
        workspace,
        cart_id,
        max_by(created_at, freshness) filter (where created_at is not null) as told_created_at,
        min(case when event is distinct from 'cart.tombstone' then observed_at end) as first_seen_at,
        max_by(total, freshness) filter (where total is not null) as total,
        max_by(coalesce(currency, store_currency), freshness) filter (where total is not null) as currency,
        max_by(coupon_code, freshness) filter (where coupon_code is not null) as coupon_code,
        max_by(customer_id, freshness) filter (where customer_id is not null) as customer_id,
        max_by(phone, -freshness) filter (where phone is not null) as phone,
        min(case when status = 'purchased' and observed_at < as_of then observed_at end) as purchase_seen_at,
        -- no longer in the shop, unless an answer received after that shows it again
        (
            max(case when event = 'cart.tombstone' and observed_at < as_of then observed_at end) is not null
            and coalesce(
                max(case when event is null and received_at < as_of then received_at end)
                < max(case when event = 'cart.tombstone' and observed_at < as_of then observed_at end),
                true
            )
        ) as is_gone
    from ranked
    group by workspace, cart_id
),

paid_carts as (
    select
        transactions.workspace,
        transactions.cart_id,
        transactions.order_id,
        row_number() over (
            partition by transactions.workspace, transactions.cart_id
            order by transactions.created_at nulls last, transactions.order_id
        ) as place
    from transactions
    where
        transactions.cart_id is not null
        and transactions.order_id is not null
        and coalesce(transactions.status not in ('canceled', 'initiated', 'pending', 'failed'), false)
),

ordered_carts as (
    select
        workspace,
        cart_id,
        order_id,
        row_number() over (partition by workspace, cart_id order by ordered_at nulls last, order_id) as place
    from orders
    where cart_id is not null
),

named_orders as (
    select
        newest.*,
        coalesce(newest.told_created_at, newest.first_seen_at) as created_at,
        coalesce(paid_carts.order_id, ordered_carts.order_id) as order_id
    from newest
    left join paid_carts
        on
            newest.workspace = paid_carts.workspace
            and newest.cart_id = paid_carts.cart_id
            and paid_carts.place = 1
    left join ordered_carts
        on
            newest.workspace = ordered_carts.workspace
            and newest.cart_id = ordered_carts.cart_id
            and ordered_carts.place = 1
),

recovered_orders as (
    select
        orders.workspace,
        orders.order_id,
        named_orders.cart_id,
        row_number() over (
            partition by orders.workspace, orders.order_id
            order by named_orders.created_at desc, named_orders.cart_id desc
        ) as place
    from orders
    inner join named_orders
        on
            orders.workspace = named_orders.workspace
            and orders.customer_id = named_orders.customer_id
    where
        orders.source in ('abandoned-cart', 'forgotten_basket')
        and named_orders.order_id is null
        and named_orders.created_at <= orders.ordered_at
        and not exists (
            select 1
            from named_orders as taken
            where taken.workspace = orders.workspace and taken.order_id = orders.order_id
        )
),

first_recovered as (
    select workspace, cart_id, min(order_id) as order_id
    from recovered_orders
    where place = 1
    group by workspace, cart_id
),

linked as (
    select
        named_orders.workspace,
        named_orders.cart_id,
        named_orders.created_at,
        named_orders.total,
        named_orders.currency,
        named_orders.coupon_code,
        named_orders.customer_id,
        named_orders.phone,
        named_orders.purchase_seen_at,
        named_orders.is_gone,
        coalesce(named_orders.order_id, first_recovered.order_id) as order_id
    from named_orders
    left join first_recovered
        on
            named_orders.workspace = first_recovered.workspace
            and named_orders.cart_id = first_recovered.cart_id
)

select
    linked.workspace,
    linked.cart_id,
    linked.created_at,
    linked.total,
    linked.currency,
    linked.coupon_code,
    linked.customer_id,
    linked.phone,
    case when orders.order_id is not null then linked.order_id end as order_id,
    case
        when orders.order_id is not null or linked.purchase_seen_at is not null then 'purchased'
        when linked.is_gone then 'closed'
        else 'abandoned'
    end as status,
    coalesce(orders.ordered_at, linked.purchase_seen_at) as completed_at
from linked
inner join stores
    on linked.workspace = stores.workspace
left join orders
    on
        linked.workspace = orders.workspace
        and linked.order_id = orders.order_id
        and orders.ordered_at < stores.as_of
