-- One row per sighting of an order, in whatever shape.
with taken_apart as (
    -- once, for an order with its lines is long and reading it again for every column would take most of the time
    select
        *,
        from_json(
            object,
            '{"id":"JSON","reference_id":"JSON","cart_reference_id":"JSON","date":"JSON","updated_at":"JSON","status":"JSON",'
            || '"draft":"JSON","is_price_quote":"JSON","features":"JSON","is_pending_payment":"JSON","payment_method":"JSON",'
            || '"source":"JSON","source_details":"JSON","amounts":"JSON","total":"JSON","currency":"JSON","exchange_rate":"JSON",'
            || '"customer":"JSON","receiver":"JSON","items":"JSON"}'
        ) as o
    from readable
    where object_kind = 'order'
),

dated as (
    select
        *,
        date_of(o.date) as ordered,
        date_of(o.updated_at) as updated,
        date_of(told) as told_date
    from taken_apart
)

select
    workspace,
    landing_file,
    landing_line,
    position,
    received_at,
    shape,
    event,
    object_hash,
    object_id as order_id,
    id_of(o.reference_id) as reference_id,
    id_of(o.cart_reference_id) as cart_id,
    ordered.local as ordered_local,
    ordered.zone as ordered_zone,
    updated.local as updated_local,
    updated.zone as updated_zone,
    told_date.local as told_local,
    told_date.zone as told_zone,
    -- `status` is an object, or the bare slug
    id_of(json_extract(o.status, '$.id')) as status_id,
    case when json_type(o.status) = 'OBJECT' then text_of(json_extract(o.status, '$.slug')) else text_of(o.status) end
        as status_slug,
    text_of(json_extract(o.status, '$.name')) as status_name,
    id_of(json_extract(o.status, '$.customized.id')) as custom_status_id,
    text_of(json_extract(o.status, '$.customized.name')) as custom_status_name,
    flag_of(o.draft) as is_draft,
    coalesce(flag_of(o.is_price_quote), flag_of(json_extract(o.features, '$.order_type_price_quote'))) as is_price_quote,
    flag_of(o.is_pending_payment) as is_pending_payment,
    text_of(o.payment_method) as payment_method,
    text_of(o.source) as source,
    text_of(json_extract(o.source_details, '$.type')) as source_type,
    text_of(json_extract(o.source_details, '$.utm_source')) as utm_source,
    text_of(json_extract(o.source_details, '$.utm_campaign')) as utm_campaign,
    coalesce(amount_of(json_extract(o.amounts, '$.total')), amount_of(o.total)) as total,
    coalesce(
        upper(text_of(o.currency)), currency_of(json_extract(o.amounts, '$.total')), currency_of(o.total)
    ) as currency,
    amount_of(json_extract(o.amounts, '$.sub_total')) as sub_total,
    amount_of(json_extract(o.amounts, '$.shipping_cost')) as shipping_cost,
    amount_of(json_extract(o.amounts, '$.cash_on_delivery')) as cod_cost,
    amount_of(json_extract(o.amounts, '$.tax.amount')) as tax,
    upper(text_of(json_extract(o.exchange_rate, '$.base_currency'))) as base_currency,
    upper(text_of(json_extract(o.exchange_rate, '$.exchange_currency'))) as exchange_currency,
    try_cast(scalar_of(json_extract(o.exchange_rate, '$.rate')) as decimal(18, 8)) as exchange_rate,
    id_of(json_extract(o.customer, '$.id')) as customer_id,
    text_of(json_extract(o.customer, '$.city')) as customer_city,
    text_of(json_extract(o.receiver, '$.phone')) as receiver_phone,
    -- the list names what was bought, without ids and prices; details say nothing of it
    case
        when json_type(o.items) <> 'ARRAY' or json_type(o.items) is null then 'not_told'
        when shape = 'list' then 'named'
        else 'told'
    end as items_state,
    case when json_type(o.items) = 'ARRAY' then json_array_length(o.items) end as items_told
from dated
