with source as (
    select * from {{ source('settings', 'whatsapp_numbers') }}
)

select
    workspace,
    phone_number_id,
    number_name,
    untagged_sends_are
from source
