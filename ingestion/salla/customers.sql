-- One row per sighting of a customer, on their own or inside an order, cart, transaction, invoice or review.
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
    id_of(customer -> '$.id') as customer_id,
    coalesce(
        text_of(customer -> '$.full_name'),
        text_of(customer -> '$.name'),
        nullif(trim(concat_ws(' ', text_of(customer -> '$.first_name'), text_of(customer -> '$.last_name'))), '')
    ) as full_name,
    text_of(customer -> '$.mobile') as mobile,
    text_of(customer -> '$.mobile_code') as mobile_code,
    upper(text_of(customer -> '$.country_code')) as country_code,
    text_of(customer -> '$.email') as email,
    text_of(customer -> '$.city') as city,
    text_of(customer -> '$.country') as country,
    flag_of(customer -> '$.is_notifications_enabled') as is_notifications_enabled,
    date_of(customer -> '$.created_at').local as created_local,
    date_of(customer -> '$.created_at').zone as created_zone,
    date_of(customer -> '$.updated_at').local as updated_local,
    date_of(customer -> '$.updated_at').zone as updated_zone,
    date_of(told).local as told_local,
    date_of(told).zone as told_zone,
    -- when the object the customer stood in was made
    date_of(coalesce((object -> '$.date'), (object -> '$.created_at'))).local as object_local,
    date_of(coalesce((object -> '$.date'), (object -> '$.created_at'))).zone as object_zone
from customer_parts
