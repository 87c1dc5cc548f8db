with source as (
    select * from {{ source('settings', 'weekend_days') }}
)

select
    workspace,
    weekday
from source
