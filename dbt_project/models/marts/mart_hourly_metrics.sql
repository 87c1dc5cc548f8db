{{ config(meta={'stage': 'days', 'touched': {'days.days': ['workspace', 'local_date']}}) }}

-- The figures of a local hour, per channel; an hour that a clock change repeats is one row.
with messages as (
    select * from {{ ref('fct_messages') }}
),

conversations as (
    select * from {{ ref('fct_conversations') }}
),

turns as (
    select * from {{ ref('fct_turns') }}
),

workspaces as (
    select * from {{ ref('dim_workspaces') }}
),

messages_of_hour as (
    select
        workspace,
        channel,
        cast(sent_local_date as timestamp) + sent_local_hour * interval '1 hour' as local_hour,
        count(*) as messages,
        count(case when author_type = 'customer' then 1 end) as customer_messages,
        count(case when author_type = 'agent' then 1 end) as agent_messages,
        count(case when author_type = 'automation' then 1 end) as automation_messages,
        count(case when author_type = 'unknown' then 1 end) as unknown_messages,
        count(distinct case when author_type = 'customer' then customer_id end) as unique_customers
    from messages
    where is_counted
    group by workspace, channel, cast(sent_local_date as timestamp) + sent_local_hour * interval '1 hour'
),

begun_of_hour as (
    select
        conversations.workspace,
        conversations.channel,
        date_trunc(
            'hour', {{ local_timestamp('conversations.first_customer_message_at', 'workspaces.timezone') }}
        ) as local_hour,
        count(*) as new_conversations
    from conversations
    inner join workspaces
        on conversations.workspace = workspaces.workspace
    where not conversations.is_outbound_only
    group by
        conversations.workspace,
        conversations.channel,
        date_trunc('hour', {{ local_timestamp('conversations.first_customer_message_at', 'workspaces.timezone') }})
),

-- a turn counts in the hour in which it began; its response time is the wait of whoever wrote then
questions_of_hour as (
    select
        workspace,
        channel,
        cast(started_local_date as timestamp) + started_local_hour * interval '1 hour' as local_hour,
        count(*) as begun_turns,
        count(response_seconds) as begun_turns_answered,
        sum(response_seconds) as begun_response_seconds_sum
    from turns
    group by workspace, channel, cast(started_local_date as timestamp) + started_local_hour * interval '1 hour'
),

-- the zone is asked once for each quarter of an hour
answers_of_quarter as (
    select
        workspace,
        channel,
        {{ quarter_hour('answered_at') }} as quarter_hour,
        count(*) as answered_turns,
        sum(response_seconds) as response_seconds_sum
    from turns
    where answered_at is not null
    group by workspace, channel, {{ quarter_hour('answered_at') }}
),

answers_in_local_time as (
    select
        answers_of_quarter.workspace,
        answers_of_quarter.channel,
        date_trunc(
            'hour',
            {{ local_timestamp(instant_of_quarter_hour('answers_of_quarter.quarter_hour'), 'workspaces.timezone') }}
        ) as local_hour,
        answers_of_quarter.answered_turns,
        answers_of_quarter.response_seconds_sum
    from answers_of_quarter
    inner join workspaces
        on answers_of_quarter.workspace = workspaces.workspace
),

answers_of_hour as (
    select
        workspace,
        channel,
        local_hour,
        cast(sum(answered_turns) as bigint) as answered_turns,
        sum(response_seconds_sum) as response_seconds_sum
    from answers_in_local_time
    group by workspace, channel, local_hour
),

hours as (
    select workspace, channel, local_hour from messages_of_hour
    union
    select workspace, channel, local_hour from begun_of_hour
    union
    select workspace, channel, local_hour from questions_of_hour
    union
    select workspace, channel, local_hour from answers_of_hour
)

select
    hours.local_hour,
    cast(hours.local_hour as date) as local_date,
    -- Sunday is 0
    {{ weekday('hours.local_hour') }} as weekday,
    cast(extract(hour from hours.local_hour) as integer) as hour_of_day,
    hours.workspace,
    hours.channel,
    coalesce(messages_of_hour.messages, 0) as messages,
    coalesce(messages_of_hour.customer_messages, 0) as customer_messages,
    coalesce(messages_of_hour.agent_messages, 0) as agent_messages,
    coalesce(messages_of_hour.automation_messages, 0) as automation_messages,
    coalesce(messages_of_hour.unknown_messages, 0) as unknown_messages,
    coalesce(begun_of_hour.new_conversations, 0) as new_conversations,
    coalesce(messages_of_hour.unique_customers, 0) as unique_customers,
    coalesce(questions_of_hour.begun_turns, 0) as begun_turns,
    coalesce(questions_of_hour.begun_turns_answered, 0) as begun_turns_answered,
    cast(questions_of_hour.begun_response_seconds_sum as decimal(38, 6)) as begun_response_seconds_sum,
    coalesce(answers_of_hour.answered_turns, 0) as answered_turns,
    cast(answers_of_hour.response_seconds_sum as decimal(38, 6)) as response_seconds_sum
from hours
left join messages_of_hour
    on
        hours.workspace = messages_of_hour.workspace
        and hours.channel = messages_of_hour.channel
        and hours.local_hour = messages_of_hour.local_hour
left join begun_of_hour
    on
        hours.workspace = begun_of_hour.workspace
        and hours.channel = begun_of_hour.channel
        and hours.local_hour = begun_of_hour.local_hour
left join questions_of_hour
    on
        hours.workspace = questions_of_hour.workspace
        and hours.channel = questions_of_hour.channel
        and hours.local_hour = questions_of_hour.local_hour
left join answers_of_hour
    on
        hours.workspace = answers_of_hour.workspace
        and hours.channel = answers_of_hour.channel
        and hours.local_hour = answers_of_hour.local_hour
