-- Every object a line tells of, each on its own.
create temp table objects as
with routed as (
    select
        *,
        case
            when is_error then 'error'
            when event = 'customer.otp.request' then 'secret'
            when event = 'order.tombstone' then 'order'
            when event = 'cart.tombstone' then 'cart'
            when event like '%.tombstone' then 'other'
            when event like 'order.%' then 'order'
            when event like 'abandoned.cart%' or event = 'coupon.applied' then 'cart'
            when event like 'customer.%' then 'customer'
            when event like 'product.%' then 'product'
            when event like 'invoice.%' then 'invoice'
            when call in ('GET /orders', 'GET /orders/{id}') then 'order'
            when call in ('GET /orders/items', 'GET /orders/{id}/items') then 'item'
            when call in ('GET /orders/histories', 'GET /orders/{id}/histories') then 'history'
            when call = 'GET /orders/statuses' then 'status'
            when call in ('GET /orders/invoices', 'GET /orders/invoices/{id}') then 'invoice'
            when call in ('GET /customers', 'GET /customers/{id}') then 'customer'
            when call in ('GET /products', 'GET /products/{id}') then 'product'
            when call in ('GET /carts/abandoned', 'GET /carts/abandoned/{id}') then 'cart'
            when call in ('GET /transactions', 'GET /transactions/{id}') then 'transaction'
            when call in ('GET /employees', 'GET /employees/{id}', 'GET /users', 'GET /users/{id}') then 'employee'
            when call = 'GET /store/info' then 'store'
            when call = 'GET /settings/fields/reports.order_statuses' then 'report_status'
            else 'other'
        end as object_kind
    from answers
    where not is_webhook or event is not null
),

-- some answers and events hold what they are about one level deeper
located as (
    select
        *,
        case
            when object_kind = 'error' then body
            when object_kind = 'report_status' and json_type(data -> '$.order_statuses') = 'ARRAY' then (data -> '$.order_statuses')
            when object_kind = 'order' and json_type(data -> '$.order') = 'OBJECT' then (data -> '$.order')
            when object_kind = 'cart' and json_type(data -> '$.cart') = 'OBJECT' then (data -> '$.cart')
            else data
        end as content
    from routed
),

listed as (
    select *, unnest(list_of(content)) as object, generate_subscripts(list_of(content), 1) as object_number from located

    union all by name

    select *, content as object, 0 as object_number from located where json_type(content) is distinct from 'ARRAY'

    union all by name

    -- a page without rows is an answer too
    select * replace ('empty' as object_kind), '{}'::json as object, 0 as object_number
    from located
    where json_type(content) = 'ARRAY' and json_array_length(content) = 0

    union all by name

    -- a change of status is an entry of the order's history as well
    select * replace ('history' as object_kind), data as object, 0 as object_number
    from located
    where event = 'order.status.updated' and json_type(data) = 'OBJECT'
)

select
    workspace,
    landing_file,
    landing_line,
    received_at,
    object_number * 10000 as position,
    object_kind,
    case
        when object_kind <> 'order' then null
        when event = 'order.status.updated' then 'status_event'
        when event = 'order.tombstone' then 'tombstone'
        when event like 'order.shipment.%' then 'shipment_event'
        when event is not null then 'webhook'
        when call = 'GET /orders/{id}' then 'details'
        else 'list'
    end as shape,
    call,
    event,
    merchant_id,
    told,
    case when object_kind = 'history' and event is not null then id_of(object -> '$.order.id') else asked_order_id end
        as asked_order_id,
    page,
    object,
    md5(object::varchar) as object_hash,
    case when object_number > 0 then format('data[{}]', object_number - 1) end as item_path
from listed;
