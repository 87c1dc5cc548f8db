-- One row per sighting of a customer, on their own or inside an order, cart, transaction, invoice or review.
with taken_apart as (
    -- once, for an order with its lines is long and reading it again for every column would take most of the time
    select
        *,
        from_json(
            customer,
            '{"id":"JSON","full_name":"JSON","name":"JSON","first_name":"JSON","last_name":"JSON","mobile":"JSON",'
            || '"mobile_code":"JSON","country_code":"JSON","email":"JSON","city":"JSON","country":"JSON",'
            || '"is_notifications_enabled":"JSON","created_at":"JSON","updated_at":"JSON"}'
        ) as c,
        from_json(object, '{"date":"JSON","created_at":"JSON"}') as o
    from customer_parts
),

dated as (
    select
        *,
        date_of(c.created_at) as created,
        date_of(c.updated_at) as updated,
        date_of(told) as told_date,
        -- when the object the customer stood in was made
        date_of(coalesce(o.date, o.created_at)) as made
    from taken_apart
)

select
    workspace,
    landing_file,
    landing_line,
    position + part as position,
    received_at,
    event,
    md5(customer::varchar) as object_hash,
    seen_in,
    seen_in_id,
    id_of(c.id) as customer_id,
    coalesce(
        text_of(c.full_name),
        text_of(c.name),
        nullif(trim(concat_ws(' ', text_of(c.first_name), text_of(c.last_name))), '')
    ) as full_name,
    text_of(c.mobile) as mobile,
    text_of(c.mobile_code) as mobile_code,
    upper(text_of(c.country_code)) as country_code,
    text_of(c.email) as email,
    text_of(c.city) as city,
    text_of(c.country) as country,
    flag_of(c.is_notifications_enabled) as is_notifications_enabled,
    created.local as created_local,
    created.zone as created_zone,
    updated.local as updated_local,
    updated.zone as updated_zone,
    told_date.local as told_local,
    told_date.zone as told_zone,
    made.local as object_local,
    made.zone as object_zone
from dated
