with source as (
    select * from {{ source('inbox', 'conversations') }}
)

select
    workspace,
    export_name,
    conversation_id,
    channel,
    customer_id,
    -- international digits; without a country code nobody can say whose number it is
    case
        when {{ without_pattern('customer_phone', '[^0-9]') }} like '00%'
            then substr({{ without_pattern('customer_phone', '[^0-9]') }}, 3)
        when {{ without_pattern('customer_phone', '[^0-9]') }} like '0%' then null
        else nullif({{ without_pattern('customer_phone', '[^0-9]') }}, '')
    end as customer_phone,
    created_at,
    status,
    assignee_id,
    updated_at,
    received_at,
    landing_file,
    landing_line
from source
