with source as (
    select * from {{ source('whatsapp', 'contacts') }}
)

select
    workspace,
    phone_number_id,
    seen_at,
    nullif({{ without_pattern('phone', '[^0-9]') }}, '') as phone,
    nullif(user_id, '') as user_id,
    profile_name,
    landing_file
from source
