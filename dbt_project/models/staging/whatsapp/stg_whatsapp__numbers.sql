-- The business's own numbers, as Graph tells them.
with source as (
    select * from {{ source('whatsapp', 'graph_objects') }}
)

select
    workspace,
    object_id as phone_number_id,
    object_name as verified_name,
    nullif({{ without_pattern(json_text('details', '$.display_phone_number'), '[^0-9]') }}, '') as business_phone,
    account as business_account,
    received_at,
    landing_file,
    landing_line
from source
where object_kind = 'phone_number' and object_id is not null
