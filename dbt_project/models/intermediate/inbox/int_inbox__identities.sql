{{ config(materialized='view') }}

-- Phones that exports name; they tell of no business-scoped ids.
with conversations as (
    select * from {{ ref('stg_inbox__conversations') }}
)

select
    workspace,
    cast(null as string) as user_id,
    customer_phone as phone,
    -- without a time of its own it is dated by nothing: when it was received means nothing
    coalesce(created_at, {{ instant('1900-01-01 00:00:00+00') }}) as seen_at
from conversations
where customer_phone is not null
