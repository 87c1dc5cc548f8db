with source as (
    select * from {{ source('whatsapp', 'statuses') }}
)

select
    workspace,
    phone_number_id,
    wamid,
    lower(status) as status,
    happened_at,
    nullif({{ without_pattern('customer_phone', '[^0-9]') }}, '') as customer_phone,
    nullif(customer_user_id, '') as customer_user_id,
    group_id,
    nullif(trim(sender_tag), '') as sender_tag,
    pricing_model,
    pricing_type,
    -- one category is spelled both ways
    replace(pricing_category, 'authentication_international', 'authentication-international') as pricing_category,
    is_billable,
    error_code,
    received_at,
    position,
    landing_file,
    landing_line
from source
