-- Lines of orders, as the answer about lines and as the orders themselves tell them.
with in_orders as (
    select
        *,
        object_id as order_id,
        line as item,
        position + line_number as item_position
    from line_parts
    where object_kind = 'order' and json_type(line) = 'OBJECT'
),

asked_for as (
    select
        * exclude (object),
        asked_order_id as order_id,
        'items' as shape,
        object as item,
        position as item_position
    from (select * exclude (shape) from readable)
    where object_kind = 'item'
),

together as (
    select * from in_orders
    union all by name
    select * from asked_for
)

select
    workspace,
    landing_file,
    landing_line,
    item_position as position,
    received_at,
    shape,
    event,
    md5(item::varchar) as object_hash,
    order_id,
    page,
    date_of(told).local as told_local,
    date_of(told).zone as told_zone,
    id_of(item -> '$.id') as item_id,
    coalesce(id_of(item -> '$.product.id'), id_of(item -> '$.product_id')) as product_id,
    coalesce(text_of(item -> '$.name'), text_of(item -> '$.product.name')) as product_name,
    coalesce(text_of(item -> '$.sku'), text_of(item -> '$.product.sku')) as sku,
    number_of(item -> '$.quantity') as quantity,
    coalesce(amount_of(item -> '$.amounts.total'), amount_of(item -> '$.total')) as line_total,
    amount_of(item -> '$.amounts.price_without_tax') as price_without_tax,
    amount_of(item -> '$.amounts.total_discount') as line_discount,
    amount_of(item -> '$.amounts.tax.amount') as line_tax,
    coalesce(upper(text_of(item -> '$.currency')), currency_of(item -> '$.amounts.total')) as currency
from together
