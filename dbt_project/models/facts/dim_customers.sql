{{ config(meta={'stage': 'customers', 'touched': {'customers.customers': ['customer_id']}}) }}

-- Customers by a keyed hash and a harmless label; nothing personal.
with messages as (
    select * from {{ ref('fct_messages') }}
),

orders as (
    select * from {{ ref('fct_orders') }}
),

carts as (
    select * from {{ ref('fct_carts') }}
),

seen as (
    select
        workspace,
        customer_id,
        sent_at as seen_at,
        case when author_type = 'customer' then sent_at end as wrote_at,
        cast(null as {{ instant_type() }}) as ordered_at
    from messages
    where is_counted

    union all

    select workspace, customer_id, ordered_at as seen_at, null as wrote_at, case when is_counted then ordered_at end as ordered_at
    from orders

    union all

    select workspace, customer_id, created_at as seen_at, null as wrote_at, null as ordered_at
    from carts
)

select
    customer_id,
    workspace,
    'Customer ' || upper(left(customer_id, 6)) as customer_label,
    min(wrote_at) as first_message_at,
    min(seen_at) as first_seen_at,
    min(ordered_at) as first_ordered_at,
    count(ordered_at) as counted_orders
from seen
where customer_id is not null
group by customer_id, workspace
