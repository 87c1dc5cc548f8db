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
),

taken_apart as (
    select
        *,
        date_of(told) as told_date,
        from_json(
            item,
            '{"id":"JSON","product":"JSON","product_id":"JSON","name":"JSON","sku":"JSON","quantity":"JSON","amounts":"JSON",'
            || '"total":"JSON","currency":"JSON"}'
        ) as i
    from together
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
    told_date.local as told_local,
    told_date.zone as told_zone,
    id_of(i.id) as item_id,
    coalesce(id_of(json_extract(i.product, '$.id')), id_of(i.product_id)) as product_id,
    coalesce(text_of(i.name), text_of(json_extract(i.product, '$.name'))) as product_name,
    coalesce(text_of(i.sku), text_of(json_extract(i.product, '$.sku'))) as sku,
    number_of(i.quantity) as quantity,
    coalesce(amount_of(json_extract(i.amounts, '$.total')), amount_of(i.total)) as line_total,
    amount_of(json_extract(i.amounts, '$.price_without_tax')) as price_without_tax,
    amount_of(json_extract(i.amounts, '$.total_discount')) as line_discount,
    amount_of(json_extract(i.amounts, '$.tax.amount')) as line_tax,
    coalesce(upper(text_of(i.currency)), currency_of(json_extract(i.amounts, '$.total'))) as currency
from taken_apart
