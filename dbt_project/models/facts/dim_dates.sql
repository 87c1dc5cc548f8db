-- The dates a reader can choose: each local day that has begun, from the first message or order on. The numbers of days
-- and months let a query find the range before a range without any arithmetic on dates.
with workspaces as (
    select * from {{ ref('dim_workspaces') }}
),

messages as (
    select * from {{ ref('fct_messages') }}
),

orders as (
    select * from {{ ref('fct_orders') }}
),

first_events as (
    select workspace, min(sent_local_date) as first_date
    from messages
    group by workspace

    union all

    select workspace, min(ordered_local_date) as first_date
    from orders
    group by workspace
),

bounds as (
    select
        workspaces.workspace,
        workspaces.timezone,
        workspaces.as_of,
        workspaces.as_of_local,
        cast(workspaces.as_of_local as date) as today,
        min(first_events.first_date) as first_date
    from workspaces
    inner join first_events
        on workspaces.workspace = first_events.workspace
    group by workspaces.workspace, workspaces.timezone, workspaces.as_of, workspaces.as_of_local
),

numbered as (
    select
        workspace,
        timezone,
        as_of,
        as_of_local,
        today,
        {{ each_date('first_date', 'today') }} as local_date
    from bounds
),

with_instants as (
    select
        workspace,
        local_date,
        today,
        as_of,
        as_of_local,
        {{ instant_of_local('cast(local_date as timestamp)', 'timezone') }} as starts_at,
        {{ instant_of_local('cast(local_date + interval 1 day as timestamp)', 'timezone') }} as ends_at,
        -- the moment of that day at which the clock showed what it shows now
        {{ instant_of_local(
            'cast(local_date as timestamp) + (as_of_local - cast(today as timestamp))', 'timezone'
        ) }} as same_clock_at
    from numbered
)

select
    workspace,
    local_date,
    starts_at,
    ends_at,
    case when ends_at < as_of then ends_at else as_of end as until_at,
    same_clock_at,
    local_date = today as is_today,
    case when local_date = today then cast(extract(hour from as_of_local) as integer) else 24 end as hours_over,
    -- Sunday is 0
    {{ weekday('local_date') }} as weekday,
    cast(extract(day from local_date) as integer) as day_of_month,
    cast(extract(year from local_date) * 12 + extract(month from local_date) as integer) as month_number,
    cast(row_number() over (partition by workspace order by local_date) as integer) as day_number
from with_instants
-- at midnight itself today has begun, and is empty
where starts_at <= as_of
