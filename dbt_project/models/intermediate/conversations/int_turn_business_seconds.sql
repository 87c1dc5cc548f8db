{{ config(meta={'stage': 'people', 'touched': {'people.conversations': ['conversation_id']}}) }}

-- Open seconds between a turn's beginning and its answer: the business clock at the one minus that at the other.
with turns as (
    select * from {{ ref('int_turns') }}
),

conversations as (
    select * from {{ ref('int_conversations') }}
),

local_quarters as (
    select workspace, quarter_hour, local_date
    from {{ ref('int_local_quarters') }}
),

working_hours as (
    select * from {{ ref('stg_settings__working_hours') }}
),

working_days as (
    select * from {{ ref('int_working_days') }}
),

intervals as (
    select * from {{ ref('int_working_intervals') }}
),

-- nothing is assumed: outside the dates that hours are known for there is no calendar
known_days as (
    select working_days.workspace, working_days.local_date
    from working_days
    inner join working_hours
        on
            working_days.workspace = working_hours.workspace
            and working_days.local_date >= working_hours.valid_from
            and working_days.local_date <= working_hours.valid_to
    group by working_days.workspace, working_days.local_date
),

answered as (
    select
        turns.conversation_id,
        turns.turn_number,
        conversations.workspace,
        turns.started_at,
        turns.answered_at,
        started_quarters.local_date as started_local_date,
        answered_quarters.local_date as answered_local_date
    from turns
    inner join conversations
        on turns.conversation_id = conversations.conversation_id
    inner join local_quarters as started_quarters
        on
            conversations.workspace = started_quarters.workspace
            and {{ quarter_hour('turns.started_at') }} = started_quarters.quarter_hour
    inner join local_quarters as answered_quarters
        on
            conversations.workspace = answered_quarters.workspace
            and {{ quarter_hour('turns.answered_at') }} = answered_quarters.quarter_hour
    inner join known_days
        on
            conversations.workspace = known_days.workspace
            and started_quarters.local_date = known_days.local_date
),

moments as (
    select
        conversation_id, turn_number, workspace, -1 as sign,
        started_local_date as local_date, {{ microseconds('started_at') }} as moment_us
    from answered

    union all

    select
        conversation_id, turn_number, workspace, 1 as sign,
        answered_local_date as local_date, {{ microseconds('answered_at') }} as moment_us
    from answered
),

open_today as (
    select
        moments.conversation_id,
        moments.turn_number,
        moments.sign,
        sum(
            case
                when moments.moment_us <= intervals.opens_us then 0
                when moments.moment_us >= intervals.closes_us then intervals.closes_us - intervals.opens_us
                else moments.moment_us - intervals.opens_us
            end
        ) as open_us
    from moments
    inner join intervals
        on moments.workspace = intervals.workspace and moments.local_date = intervals.local_date
    group by moments.conversation_id, moments.turn_number, moments.sign
)

select
    moments.conversation_id,
    moments.turn_number,
    cast(sum(moments.sign * (working_days.open_us_before + coalesce(open_today.open_us, 0))) / 1000000.0 as decimal(18, 6))
        as business_response_seconds
from moments
inner join working_days
    on moments.workspace = working_days.workspace and moments.local_date = working_days.local_date
left join open_today
    on
        moments.conversation_id = open_today.conversation_id
        and moments.turn_number = open_today.turn_number
        and moments.sign = open_today.sign
group by moments.conversation_id, moments.turn_number
