-- One row per sighting of an order, in whatever shape.
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
    id_of(object -> '$.reference_id') as reference_id,
    id_of(object -> '$.cart_reference_id') as cart_id,
    date_of(object -> '$.date').local as ordered_local,
    date_of(object -> '$.date').zone as ordered_zone,
    date_of(object -> '$.updated_at').local as updated_local,
    date_of(object -> '$.updated_at').zone as updated_zone,
    date_of(told).local as told_local,
    date_of(told).zone as told_zone,
    -- `status` is an object, or the bare slug
    id_of(object -> '$.status.id') as status_id,
    case when json_type(object -> '$.status') = 'OBJECT' then text_of(object -> '$.status.slug') else text_of(object -> '$.status') end
        as status_slug,
    text_of(object -> '$.status.name') as status_name,
    id_of(object -> '$.status.customized.id') as custom_status_id,
    text_of(object -> '$.status.customized.name') as custom_status_name,
    flag_of(object -> '$.draft') as is_draft,
    coalesce(flag_of(object -> '$.is_price_quote'), flag_of(object -> '$.features.order_type_price_quote')) as is_price_quote,
    flag_of(object -> '$.is_pending_payment') as is_pending_payment,
    text_of(object -> '$.payment_method') as payment_method,
    text_of(object -> '$.source') as source,
    text_of(object -> '$.source_details.type') as source_type,
    text_of(object -> '$.source_details.utm_source') as utm_source,
    text_of(object -> '$.source_details.utm_campaign') as utm_campaign,
    coalesce(amount_of(object -> '$.amounts.total'), amount_of(object -> '$.total')) as total,
    coalesce(
        upper(text_of(object -> '$.currency')), currency_of(object -> '$.amounts.total'), currency_of(object -> '$.total')
    ) as currency,
    amount_of(object -> '$.amounts.sub_total') as sub_total,
    amount_of(object -> '$.amounts.shipping_cost') as shipping_cost,
    amount_of(object -> '$.amounts.cash_on_delivery') as cod_cost,
    amount_of(object -> '$.amounts.tax.amount') as tax,
    upper(text_of(object -> '$.exchange_rate.base_currency')) as base_currency,
    upper(text_of(object -> '$.exchange_rate.exchange_currency')) as exchange_currency,
    try_cast(scalar_of(object -> '$.exchange_rate.rate') as decimal(18, 8)) as exchange_rate,
    id_of(object -> '$.customer.id') as customer_id,
    text_of(object -> '$.customer.city') as customer_city,
    text_of(object -> '$.receiver.phone') as receiver_phone,
    -- the list names what was bought, without ids and prices; details say nothing of it
    case
        when json_type(object -> '$.items') <> 'ARRAY' or json_type(object -> '$.items') is null then 'not_told'
        when shape = 'list' then 'named'
        else 'told'
    end as items_state,
    json_array_length(list_of(object -> '$.items')::json) as items_told
from readable
where object_kind = 'order'
