with source as (
    select * from {{ source('settings', 'working_hours') }}
)

select
    workspace,
    weekday,
    opens_minute,
    closes_minute,
    valid_from,
    valid_to
from source
