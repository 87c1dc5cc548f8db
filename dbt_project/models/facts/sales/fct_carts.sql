-- One row per cart that was left at the checkout before as_of.
with carts as (
    select * from {{ ref('int_salla__carts') }}
),

stores as (
    select * from {{ ref('stg_salla__stores') }}
),

phone_periods as (
    select * from {{ ref('int_phone_periods') }}
),

people as (
    select
        carts.*,
        coalesce(
            phone_periods.person_key,
            'salla|' || carts.customer_id,
            'salla phone|' || carts.phone
        ) as person_key,
        stores.currency as store_currency,
        {{ local_timestamp('carts.created_at', 'stores.timezone') }} as created_local,
        {{ local_timestamp('carts.completed_at', 'stores.timezone') }} as completed_local
    from carts
    inner join stores
        on carts.workspace = stores.workspace
    left join phone_periods
        on
            carts.workspace = phone_periods.workspace
            and carts.phone = phone_periods.phone
            and carts.created_at >= phone_periods.from_at
            and carts.created_at < phone_periods.to_at
    where carts.created_at < stores.as_of
)

select
    {{ keyed_hash(["'cart'", 'people.workspace', 'people.cart_id']) }} as cart_id,
    people.workspace,
    case
        when people.person_key is not null then {{ keyed_hash(["'customer'", 'people.workspace', 'people.person_key']) }}
    end as customer_id,
    people.created_at,
    cast(people.created_local as date) as created_local_date,
    people.total,
    people.currency,
    coalesce(people.currency = people.store_currency, false) as is_store_currency,
    people.coupon_code,
    people.status,
    case
        when people.order_id is not null then {{ keyed_hash(["'order'", 'people.workspace', 'people.order_id']) }}
    end as order_id,
    people.completed_at,
    cast(people.completed_local as date) as completed_local_date
from people
