with in_lines as (
    select
        * exclude (line),
        (line -> '$.product') as product,
        'item' as seen_in,
        position + line_number as product_position
    from line_parts
    where id_of(line -> '$.product.id') is not null
),

listed as (
    select *, object as product, 'product' as seen_in, position as product_position
    from readable
    where object_kind = 'product'
),

together as (
    select * from in_lines
    union all by name
    select * from listed
)

select
    workspace,
    landing_file,
    landing_line,
    product_position as position,
    received_at,
    event,
    md5(product::varchar) as object_hash,
    seen_in,
    id_of(product -> '$.id') as product_id,
    text_of(product -> '$.name') as product_name,
    text_of(product -> '$.sku') as sku,
    text_of(product -> '$.type') as product_type,
    text_of(product -> '$.status') as status,
    flag_of(product -> '$.is_available') as is_available,
    amount_of(product -> '$.price') as price,
    currency_of(product -> '$.price') as currency,
    coalesce(text_of(product -> '$.categories[0].name'), text_of(product -> '$.category.name')) as category,
    coalesce(text_of(product -> '$.brand.name'), text_of(product -> '$.brand')) as brand,
    date_of(product -> '$.updated_at').local as updated_local,
    date_of(product -> '$.updated_at').zone as updated_zone,
    date_of(told).local as told_local,
    date_of(told).zone as told_zone
from together
