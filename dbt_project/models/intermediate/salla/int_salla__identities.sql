{{ config(meta={'grows': true}) }}

-- Every phone of the store's customers and when it was seen, for the identity model. Salla knows no WhatsApp ids.
with customers as (
    select * from {{ ref('stg_salla__customers') }}
),

orders as (
    select * from {{ ref('int_salla__orders') }}
),

carts as (
    select * from {{ ref('int_salla__carts') }}
),

seen as (
    select workspace, phone, observed_at as seen_at
    from customers

    union

    select workspace, phone, ordered_at as seen_at
    from orders

    union

    select workspace, phone, created_at as seen_at
    from carts
)

select
    workspace,
    cast(null as string) as user_id,
    phone,
    seen_at
from seen
where phone is not null and seen_at is not null
