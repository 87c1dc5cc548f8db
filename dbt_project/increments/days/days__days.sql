-- The local days of which figures may have changed: those that were running since the last build; those of each message,
-- turn and end that differs; and of a conversation that differs the days on which it was open or written to after its
-- close, from the first moment that differs on. Of no other day does it tell anything. And the days that a channel has
-- no figures of yet, or should have none of.
with differing as (
    select * from {{ touched('days', 'conversations_that_differ') }}
),

workspaces as (
    select * from {{ ref('dim_workspaces') }}
),

messages as (
    select * from {{ touched('days', 'messages_that_differ') }}
),

turns as (
    select * from {{ touched('days', 'turns_that_differ') }}
),

episodes as (
    select * from {{ touched('days', 'episodes_that_differ') }}
),

conversations_before as (
    select * from {{ touched('people', 'fct_conversations_before') }}
),

conversations_now as (
    select * from {{ touched('people', 'fct_conversations') }}
),

status_before as (
    select * from {{ touched('people', 'fct_conversation_status_before') }}
),

status_now as (
    select * from {{ touched('people', 'fct_conversation_status') }}
),

turns_before as (
    select * from {{ touched('people', 'fct_turns_before') }}
),

turns_now as (
    select * from {{ touched('people', 'fct_turns') }}
),

channels as (
    select * from {{ ref('dim_channels') }}
),

all_days as (
    select * from {{ ref('dim_days') }}
),

daily_metrics as (
    select * from {{ ref('mart_daily_metrics') }}
),

channel_days as (
    select all_days.workspace, all_days.local_date, channels.channel
    from all_days
    inner join channels
        on all_days.workspace = channels.workspace and all_days.local_date >= channels.first_local_date
),

conversations as (
    select conversation_id, workspace from conversations_before
    union
    select conversation_id, workspace from conversations_now
),

stretches as (
    select conversation_id, status, from_at, to_at from status_before
    union
    select conversation_id, status, from_at, to_at from status_now
),

late_questions as (
    select conversation_id, wrote_after_close_at as from_at, ended_at as to_at
    from turns_before
    where wrote_after_close_at is not null

    union

    select conversation_id, wrote_after_close_at as from_at, ended_at as to_at
    from turns_now
    where wrote_after_close_at is not null
),

-- a close tells of its day, however long it lasts
told_of as (
    select
        conversation_id,
        from_at,
        case when status = 'open' then to_at else from_at end as to_at,
        status = 'open' and to_at is null as goes_on
    from stretches

    union all

    select conversation_id, from_at, to_at, to_at is null as goes_on
    from late_questions
),

told_in_local_time as (
    select
        conversations.workspace,
        cast({{ local_timestamp('greatest(told_of.from_at, differing.differs_at)', 'workspaces.timezone') }} as date)
            as from_date,
        cast({{ local_timestamp(
            'case when told_of.goes_on then workspaces.as_of else told_of.to_at end', 'workspaces.timezone'
        ) }} as date) as to_date
    from told_of
    inner join differing
        on told_of.conversation_id = differing.conversation_id
    inner join conversations
        on told_of.conversation_id = conversations.conversation_id
    inner join workspaces
        on conversations.workspace = workspaces.workspace
),

days as (
    select
        coalesce(channel_days.workspace, daily_metrics.workspace) as workspace,
        coalesce(channel_days.local_date, daily_metrics.local_date) as local_date
    from channel_days
    full outer join daily_metrics
        on
            channel_days.workspace = daily_metrics.workspace
            and channel_days.local_date = daily_metrics.local_date
            and channel_days.channel = daily_metrics.channel
    where channel_days.channel is null or daily_metrics.channel is null

    union

    select
        workspace,
        {{ each_date(
            'cast(' ~ local_timestamp(last_as_of(), 'timezone') ~ ' as date)', 'cast(as_of_local as date)'
        ) }} as local_date
    from workspaces

    union

    select workspace, {{ each_date('from_date', 'to_date') }} as local_date
    from told_in_local_time
    group by workspace, from_date, to_date

    union

    select workspace, sent_local_date as local_date
    from messages

    union

    select workspace, started_local_date as local_date
    from turns

    union

    select workspace, answered_local_date as local_date
    from turns

    union

    select workspace, closed_local_date as local_date
    from episodes
)

select workspace, local_date
from days
where local_date is not null
