with source as (
    select * from {{ source('settings', 'holidays') }}
)

select
    workspace,
    local_date
from source
