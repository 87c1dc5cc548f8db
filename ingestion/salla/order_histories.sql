with dated as (
    select
        *,
        date_of(object -> '$.created_at') as created,
        date_of(told) as told_date
    from readable
    where object_kind = 'history'
)

select
    workspace,
    landing_file,
    landing_line,
    position,
    received_at,
    event,
    object_hash,
    object_id as history_id,
    asked_order_id as order_id,
    text_of(object -> '$.status') as status_name,
    text_of(object -> '$.customized.slug') as custom_slug,
    id_of(object -> '$.customized.id') as custom_status_id,
    text_of(object -> '$.customized.name') as custom_status_name,
    id_of(object -> '$.customized.original.id') as original_status_id,
    -- a status event holds the order with its status by slug
    text_of(object -> '$.order.status.slug') as status_slug,
    text_of(object -> '$.note') as note,
    text_of(object -> '$.type') as entry_type,
    id_of(object -> '$.created_by.id') as employee_id,
    text_of(object -> '$.created_by.name') as employee_name,
    coalesce(created.local, told_date.local) as happened_local,
    case when created.local is not null then created.zone else told_date.zone end as happened_zone
from dated
