-- Everything else, unknown events and errors among it: kept and counted.
select
    workspace,
    landing_file,
    landing_line,
    position,
    received_at,
    case
        when object_kind <> 'other' then object_kind
        when event is not null then event
        when call like 'GET /coupons%' then 'coupon'
        when call like 'GET /reviews%' then 'review'
        when call like 'GET /shipments%' then 'shipment'
        else coalesce(call, 'other')
    end as object_kind,
    coalesce(event, call) as told_by,
    object_hash,
    id_of(object -> '$.id') as object_id,
    coalesce(scalar_of(object -> '$.error.code'), scalar_of(object -> '$.error'), scalar_of(object -> '$.body.error.code')) as error_code,
    coalesce(
        text_of(object -> '$.error.message'), text_of(object -> '$.error_description'), text_of(object -> '$.body.error.message')
    ) as error_message,
    date_of(told).local as told_local,
    date_of(told).zone as told_zone,
    -- one-time passwords are secrets
    case when object_kind <> 'secret' then object end as details
from readable
where object_kind in ('other', 'error', 'empty', 'secret')
