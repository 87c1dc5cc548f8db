with source as (
    select * from {{ source('whatsapp', 'identity_changes') }}
)

select
    workspace,
    happened_at,
    nullif(previous_user_id, '') as previous_user_id,
    nullif(current_user_id, '') as current_user_id,
    nullif(regexp_replace(previous_phone, '[^0-9]', '', 'g'), '') as previous_phone,
    nullif(regexp_replace(current_phone, '[^0-9]', '', 'g'), '') as current_phone,
    landing_file
from source
