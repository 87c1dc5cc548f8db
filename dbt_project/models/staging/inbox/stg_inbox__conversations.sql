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
        when regexp_replace(customer_phone, '[^0-9]', '', 'g') like '00%'
            then substr(regexp_replace(customer_phone, '[^0-9]', '', 'g'), 3)
        when regexp_replace(customer_phone, '[^0-9]', '', 'g') like '0%' then null
        else nullif(regexp_replace(customer_phone, '[^0-9]', '', 'g'), '')
    end as customer_phone,
    created_at,
    status,
    assignee_id,
    updated_at,
    received_at,
    landing_file,
    landing_line
from source
