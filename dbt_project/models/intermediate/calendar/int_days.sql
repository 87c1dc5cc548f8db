-- Local days of each workspace, from the first thing that happened to the day that now falls in, with a day to spare
-- before for hours that run past midnight.
with workspaces as (
    select * from {{ ref('stg_settings__workspaces') }}
),

messages as (
    select * from {{ ref('int_conversation_messages') }}
),

first_events as (
    select workspace, min(sent_at) as first_at
    from messages
    group by workspace
),

bounds as (
    select
        workspaces.workspace,
        workspaces.timezone,
        workspaces.as_of,
        cast({{ local_timestamp('first_events.first_at', 'workspaces.timezone') }} as date) as first_date,
        cast({{ local_timestamp('workspaces.as_of', 'workspaces.timezone') }} as date) as last_date
    from workspaces
    inner join first_events
        on workspaces.workspace = first_events.workspace
),

numbered as (
    select
        workspace,
        timezone,
        as_of,
        first_date,
        {{ each_date('first_date - interval 1 day', 'last_date') }} as local_date
    from bounds
)

select
    workspace,
    timezone,
    as_of,
    first_date,
    local_date,
    {{ instant_of_local('cast(local_date as timestamp)', 'timezone') }} as starts_at,
    {{ instant_of_local('cast(local_date + interval 1 day as timestamp)', 'timezone') }} as ends_at,
    -- Sunday is 0
    {{ weekday('local_date') }} as weekday
from numbered
