{{ config(materialized='view') }}

-- Messages of sources that have conversations of their own.
with inbox as (
    select * from {{ ref('int_inbox__messages') }}
),

chatwoot as (
    select * from {{ ref('int_chatwoot__messages') }}
)

select * from inbox
union all
select * from chatwoot
