{{ config(materialized='view') }}

-- Phones that exports name; they tell of no business-scoped ids.
with conversations as (
    select * from {{ ref('stg_inbox__conversations') }}
)

select
    workspace,
    cast(null as varchar) as user_id,
    customer_phone as phone,
    coalesce(created_at, received_at) as seen_at
from conversations
where customer_phone is not null
