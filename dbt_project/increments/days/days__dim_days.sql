-- These days.
with all_days as (
    select * from {{ ref('dim_days') }}
),

touched_days as (
    select * from {{ touched('days', 'days') }}
)

select all_days.*
from all_days
where (all_days.workspace, all_days.local_date) in (select workspace, local_date from touched_days)
