with source as (
    select * from {{ source('whatsapp', 'messages') }}
)

select
    workspace,
    phone_number_id,
    display_phone_number,
    wamid,
    sent_at,
    message_type,
    origin,
    is_from_business,
    -- a number without digits is none
    nullif({{ without_pattern('customer_phone', '[^0-9]') }}, '') as customer_phone,
    nullif(customer_user_id, '') as customer_user_id,
    group_id,
    text_length,
    target_wamid,
    upper(history_status) as history_status,
    referral_source_id,
    received_at,
    position,
    landing_file,
    landing_line
from source
