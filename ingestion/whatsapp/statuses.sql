select
    workspace,
    landing_file,
    landing_line,
    position,
    received_at,
    waba_id,
    phone_number_id,
    (item ->> '$.id') as wamid,
    (item ->> '$.status') as status,
    happened_at,
    case when (item ->> '$.recipient_type') is distinct from 'group' then (item ->> '$.recipient_id') end as customer_phone,
    (item ->> '$.recipient_user_id') as customer_user_id,
    case when (item ->> '$.recipient_type') = 'group' then (item ->> '$.recipient_id') end as group_id,
    (item ->> '$.biz_opaque_callback_data') as sender_tag,
    (item ->> '$.pricing.pricing_model') as pricing_model,
    (item ->> '$.pricing.type') as pricing_type,
    (item ->> '$.pricing.category') as pricing_category,
    try_cast((item ->> '$.pricing.billable') as boolean) as is_billable,
    (item ->> '$.conversation.origin.type') as conversation_origin,
    try_cast((item ->> '$.errors[0].code') as integer) as error_code
from readable_items
where item_kind = 'status'
