-- One row per line of an order.
with items as (
    select * from {{ ref('int_salla__order_items') }}
),

orders as (
    select * from {{ ref('fct_orders') }}
),

keyed as (
    select
        items.*,
        {{ keyed_hash(["'order'", 'items.workspace', 'items.order_id']) }} as order_key
    from items
)

select
    {{ keyed_hash(["'order item'", 'keyed.workspace', 'keyed.order_id', 'keyed.item_id']) }} as order_item_id,
    keyed.order_key as order_id,
    keyed.workspace,
    case
        when keyed.product_key is not null then {{ keyed_hash(["'product'", 'keyed.workspace', 'keyed.product_key']) }}
    end as product_id,
    keyed.product_name,
    keyed.sku,
    keyed.quantity,
    keyed.line_total,
    coalesce(keyed.currency, orders.order_currency) as currency
from keyed
inner join orders
    on keyed.order_key = orders.order_id
