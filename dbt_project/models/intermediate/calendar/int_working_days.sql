{{ config(meta={'covered': true}) }}

-- The business clock at each local midnight: how many open microseconds had passed by then.
with days as (
    select * from {{ ref('int_days') }}
),

intervals as (
    select * from {{ ref('int_working_intervals') }}
),

open_time as (
    select workspace, local_date, sum(closes_us - opens_us) as open_us
    from intervals
    group by workspace, local_date
)

select
    days.workspace,
    days.local_date,
    cast(coalesce(open_time.open_us, 0) as bigint) as open_us,
    cast(coalesce(sum(open_time.open_us) over (
        partition by days.workspace
        order by days.local_date
        rows between unbounded preceding and 1 preceding
    ), 0) as bigint) as open_us_before
from days
left join open_time
    on days.workspace = open_time.workspace and days.local_date = open_time.local_date
