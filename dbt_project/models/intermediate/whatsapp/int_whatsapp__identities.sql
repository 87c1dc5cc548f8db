{{ config(materialized='view') }}

-- When a business-scoped id, a phone, or both together were seen.
with messages as (
    select * from {{ ref('stg_whatsapp__messages') }}
),

statuses as (
    select * from {{ ref('stg_whatsapp__statuses') }}
),

contacts as (
    select * from {{ ref('stg_whatsapp__contacts') }}
),

identity_changes as (
    select * from {{ ref('stg_whatsapp__identity_changes') }}
)

select workspace, customer_user_id as user_id, customer_phone as phone, sent_at as seen_at
from messages
where customer_user_id is not null or customer_phone is not null

union all

select workspace, customer_user_id as user_id, customer_phone as phone, happened_at as seen_at
from statuses
where customer_user_id is not null or customer_phone is not null

union all

select workspace, user_id, phone, seen_at
from contacts
where user_id is not null or phone is not null

union all

-- the new number is told together with the new id
select workspace, current_user_id as user_id, current_phone as phone, happened_at as seen_at
from identity_changes
where current_user_id is not null or current_phone is not null

union all

select workspace, previous_user_id as user_id, previous_phone as phone, happened_at - interval 1 microsecond as seen_at
from identity_changes
where previous_user_id is not null or previous_phone is not null
