select
    workspace,
    landing_file,
    landing_line,
    position + line_number as position,
    received_at,
    event,
    md5(line::varchar) as object_hash,
    object_id as cart_id,
    id_of(line -> '$.id') as item_id,
    id_of(line -> '$.product_id') as product_id,
    number_of(line -> '$.quantity') as quantity,
    amount_of(line -> '$.amounts.total') as line_total,
    currency_of(line -> '$.amounts.total') as currency
from line_parts
where object_kind = 'cart' and json_type(line) = 'OBJECT'
