{{ config(materialized='view') }}

-- Messages of sources that have conversations of their own.
with inbox as (
    select * from {{ ref('int_inbox__messages') }}
)

select * from inbox
