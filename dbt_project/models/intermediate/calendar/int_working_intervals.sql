{{ config(meta={'covered': true}) }}

-- Open hours as intervals of instants, cut at local midnight so that each belongs to one local day. None overlap: a
-- second that two rows of hours name is open once.
with days as (
    select * from {{ ref('int_days') }}
),

working_hours as (
    select * from {{ ref('stg_settings__working_hours') }}
),

holidays as (
    select * from {{ ref('stg_settings__holidays') }}
),

-- of calendars that hold on one day the newest is in force: Ramadan's hours replace the usual ones
in_force as (
    select
        days.workspace,
        days.local_date,
        max(working_hours.valid_from) as valid_from
    from days
    inner join working_hours
        on
            days.workspace = working_hours.workspace
            and days.local_date >= working_hours.valid_from
            and days.local_date <= working_hours.valid_to
    group by days.workspace, days.local_date
),

-- hours past midnight belong to the day on which they opened, a holiday's too
openings as (
    select
        days.workspace,
        days.timezone,
        days.local_date,
        working_hours.opens_minute,
        working_hours.closes_minute
    from days
    inner join working_hours
        on
            days.workspace = working_hours.workspace
            and days.weekday = working_hours.weekday
            and days.local_date >= working_hours.valid_from
            and days.local_date <= working_hours.valid_to
    inner join in_force
        on
            days.workspace = in_force.workspace
            and days.local_date = in_force.local_date
            and working_hours.valid_from = in_force.valid_from
    left join holidays
        on days.workspace = holidays.workspace and days.local_date = holidays.local_date
    where holidays.local_date is null
),

cut_at_midnight as (
    select
        workspace,
        timezone,
        local_date,
        opens_minute,
        case when closes_minute > 1440 then 1440 else closes_minute end as closes_minute
    from openings

    union all

    select
        workspace,
        timezone,
        cast(local_date + interval 1 day as date) as local_date,
        0 as opens_minute,
        closes_minute - 1440 as closes_minute
    from openings
    where closes_minute > 1440
),

at_midnight as (
    select
        *,
        cast(local_date as timestamp) as local_midnight
    from cut_at_midnight
),

instants as (
    select
        workspace,
        local_date,
        {{ microseconds(instant_of_local("local_midnight + opens_minute * interval 1 minute", "timezone")) }} as opens_us,
        {{ microseconds(instant_of_local("local_midnight + closes_minute * interval 1 minute", "timezone")) }} as closes_us
    from at_midnight
),

compared as (
    select
        *,
        max(closes_us) over (
            partition by workspace, local_date
            order by opens_us, closes_us
            rows between unbounded preceding and 1 preceding
        ) as closed_before_us
    from instants
    -- hours that a clock change skips are none
    where opens_us < closes_us
),

numbered as (
    select
        *,
        sum(case when closed_before_us is null or opens_us > closed_before_us then 1 else 0 end) over (
            partition by workspace, local_date
            order by opens_us, closes_us
            rows between unbounded preceding and current row
        ) as interval_number
    from compared
)

select
    workspace,
    local_date,
    min(opens_us) as opens_us,
    max(closes_us) as closes_us
from numbered
group by workspace, local_date, interval_number
