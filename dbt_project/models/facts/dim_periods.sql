{{ config(meta={'covered': true}) }}

-- The periods that figures are shown for, each with the one it is compared to. Dates are inclusive; the interval of
-- instants is half-open and ends now where the period holds today.
with workspaces as (
    select * from {{ ref('dim_workspaces') }}
),

todays as (
    select
        workspace,
        timezone,
        as_of,
        as_of_local,
        cast(as_of_local as date) as today,
        cast(date_trunc('month', as_of_local) as date) as month_start,
        cast(date_trunc('month', as_of_local) - interval 1 month as date) as last_month_start
    from workspaces
),

periods as (
    select
        workspace, timezone, as_of, 'today' as period, today as from_date, today as to_date,
        cast(today - interval 1 day as date) as previous_from_date,
        -- a period that holds today is compared up to the same clock time
        cast(as_of_local - interval 1 day as timestamp) as previous_until_local
    from todays

    union all

    select
        workspace, timezone, as_of, 'yesterday' as period,
        cast(today - interval 1 day as date) as from_date, cast(today - interval 1 day as date) as to_date,
        cast(today - interval 2 day as date) as previous_from_date,
        cast(today - interval 1 day as timestamp) as previous_until_local
    from todays

    union all

    select
        workspace, timezone, as_of, 'last_7_days' as period,
        cast(today - interval 7 day as date) as from_date, cast(today - interval 1 day as date) as to_date,
        cast(today - interval 14 day as date) as previous_from_date,
        cast(today - interval 7 day as timestamp) as previous_until_local
    from todays

    union all

    select
        workspace, timezone, as_of, 'last_30_days' as period,
        cast(today - interval 30 day as date) as from_date, cast(today - interval 1 day as date) as to_date,
        cast(today - interval 60 day as date) as previous_from_date,
        cast(today - interval 30 day as timestamp) as previous_until_local
    from todays

    union all

    select
        workspace, timezone, as_of, 'this_month' as period,
        month_start as from_date, today as to_date,
        last_month_start as previous_from_date,
        -- the same days of last month, clipped at its end; adding a month clips a day that it does not have, but
        -- keeps the clock, so the end of that month is the bound
        case
            when extract(day from as_of_local - interval 1 month) < extract(day from as_of_local)
                then cast(month_start as timestamp)
            else cast(as_of_local - interval 1 month as timestamp)
        end as previous_until_local
    from todays

    union all

    select
        workspace, timezone, as_of, 'last_month' as period,
        last_month_start as from_date, cast(month_start - interval 1 day as date) as to_date,
        cast(last_month_start - {{ days_between('last_month_start', 'month_start') }} * interval 1 day as date) as previous_from_date,
        cast(last_month_start as timestamp) as previous_until_local
    from todays
),

with_instants as (
    select
        workspace,
        period,
        from_date,
        to_date,
        previous_from_date,
        -- at midnight today is empty, and so is what it is compared to: its dates are its first
        greatest(previous_from_date, cast(previous_until_local - interval 1 microsecond as date)) as previous_to_date,
        {{ instant_of_local('cast(from_date as timestamp)', 'timezone') }} as from_at,
        {{ instant_of_local('cast(to_date + interval 1 day as timestamp)', 'timezone') }} as ends_at,
        {{ instant_of_local('cast(previous_from_date as timestamp)', 'timezone') }} as previous_from_at,
        {{ instant_of_local('previous_until_local', 'timezone') }} as previous_until_at,
        as_of
    from periods
)

select
    workspace,
    period,
    from_date,
    to_date,
    from_at,
    case when ends_at < as_of then ends_at else as_of end as until_at,
    previous_from_date,
    previous_to_date,
    previous_from_at,
    previous_until_at
from with_instants
