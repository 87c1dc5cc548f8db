select
    workspace,
    landing_file,
    landing_line,
    position,
    received_at,
    event,
    object_hash,
    object_id as transaction_id,
    id_of(object -> '$.references.order_id') as order_id,
    id_of(object -> '$.references.reference_id') as reference_id,
    id_of(object -> '$.references.cart_id') as cart_id,
    case when json_type(object -> '$.status') = 'OBJECT' then text_of(object -> '$.status.slug') else text_of(object -> '$.status') end
        as status,
    text_of(object -> '$.payment_method.slug') as payment_method,
    amount_of(object -> '$.total') as total,
    currency_of(object -> '$.total') as currency,
    id_of(object -> '$.customer.id') as customer_id,
    date_of(object -> '$.created_at').local as created_local,
    date_of(object -> '$.created_at').zone as created_zone,
    date_of(told).local as told_local,
    date_of(told).zone as told_zone
from readable
where object_kind = 'transaction'
