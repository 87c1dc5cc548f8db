{{ config(meta={'covered': true}) }}

-- Local days that have begun before now.
with days as (
    select * from {{ ref('int_days') }}
),

weekend_days as (
    select * from {{ ref('stg_settings__weekend_days') }}
),

holidays as (
    select * from {{ ref('stg_settings__holidays') }}
)

select
    days.workspace,
    days.local_date,
    days.starts_at,
    days.ends_at,
    -- what happened by then: the day's end, or now
    case when days.ends_at < days.as_of then days.ends_at else days.as_of end as state_at,
    days.weekday,
    weekend_days.weekday is not null as is_weekend,
    holidays.local_date is not null as is_holiday
from days
left join weekend_days
    on days.workspace = weekend_days.workspace and days.weekday = weekend_days.weekday
left join holidays
    on days.workspace = holidays.workspace and days.local_date = holidays.local_date
where days.local_date >= days.first_date and days.starts_at < days.as_of
