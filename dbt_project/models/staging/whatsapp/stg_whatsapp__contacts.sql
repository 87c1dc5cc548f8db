with source as (
    select * from {{ source('whatsapp', 'contacts') }}
)

select
    workspace,
    phone_number_id,
    seen_at,
    nullif(regexp_replace(phone, '[^0-9]', '', 'g'), '') as phone,
    nullif(user_id, '') as user_id,
    profile_name,
    landing_file
from source
