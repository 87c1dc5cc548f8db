with source as (
    select * from {{ source('settings', 'source_states') }}
)

select
    workspace,
    source,
    kind,
    last_attempt_at,
    last_success_at,
    problem
from source
