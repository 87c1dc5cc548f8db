-- Invoices, credit notes among them.
select
    workspace,
    landing_file,
    landing_line,
    position,
    received_at,
    event,
    object_hash,
    object_id as invoice_id,
    text_of(object -> '$.invoice_number') as invoice_number,
    id_of(object -> '$.order_id') as order_id,
    id_of(object -> '$.invoice_reference_id') as invoice_reference_id,
    text_of(object -> '$.type') as invoice_type,
    date_of(object -> '$.date').local as issued_local,
    date_of(object -> '$.date').zone as issued_zone,
    -- a list gives the day only
    date_of(object -> '$.date').has_clock as has_clock_time,
    coalesce(amount_of(object -> '$.sub_total'), amount_of(object -> '$.subtotal')) as sub_total,
    amount_of(object -> '$.shipping_cost') as shipping_cost,
    amount_of(object -> '$.discount') as discount,
    amount_of(object -> '$.tax.amount') as tax,
    amount_of(object -> '$.total') as total,
    coalesce(currency_of(object -> '$.total'), currency_of(object -> '$.sub_total'), upper(text_of(object -> '$.currency'))) as currency,
    date_of(told).local as told_local,
    date_of(told).zone as told_zone
from readable
where object_kind = 'invoice'
