with source as (
    select * from {{ source('whatsapp', 'identity_changes') }}
)

select
    workspace,
    happened_at,
    nullif(previous_user_id, '') as previous_user_id,
    nullif(current_user_id, '') as current_user_id,
    nullif({{ without_pattern('previous_phone', '[^0-9]') }}, '') as previous_phone,
    nullif({{ without_pattern('current_phone', '[^0-9]') }}, '') as current_phone,
    landing_file
from source
