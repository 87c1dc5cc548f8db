{{ config(meta={'stage': 'days', 'touched': {'days.days': ['workspace', 'local_date']}}) }}

-- The figures of a local day, per channel. State is as of the day's end, or of now for the running day.
with days as (
    select * from {{ ref('dim_days') }}
),

channels as (
    select * from {{ ref('dim_channels') }}
),

workspaces as (
    select * from {{ ref('dim_workspaces') }}
),

messages as (
    select * from {{ ref('fct_messages') }}
),

conversations as (
    select * from {{ ref('fct_conversations') }}
),

status as (
    select * from {{ ref('fct_conversation_status') }}
),

turns as (
    select * from {{ ref('fct_turns') }}
),

unread_spans as (
    select * from {{ ref('fct_unread_spans') }}
),

episodes as (
    select * from {{ ref('fct_episodes') }}
),

channel_days as (
    select
        days.workspace,
        channels.channel,
        days.local_date,
        days.starts_at,
        days.state_at
    from days
    inner join channels
        on days.workspace = channels.workspace and days.local_date >= channels.first_local_date
),

messages_of_day as (
    select
        workspace,
        channel,
        sent_local_date as local_date,
        count(*) as messages,
        count(case when author_type = 'customer' then 1 end) as customer_messages,
        count(case when author_type = 'agent' then 1 end) as agent_messages,
        count(case when author_type = 'automation' then 1 end) as automation_messages,
        count(case when author_type = 'unknown' then 1 end) as unknown_messages,
        count(distinct case when author_type = 'customer' then customer_id end) as unique_customers,
        count(distinct case when author_type <> 'customer' then customer_id end) as contacted_customers
    from messages
    where is_counted
    group by workspace, channel, sent_local_date
),

-- conversations with a message in the day, and whether only automation wrote
active_conversations as (
    select
        workspace,
        conversation_id,
        sent_local_date as local_date,
        count(*) = count(case when author_type = 'automation' then 1 end) as is_broadcast_only
    from messages
    where is_counted and conversation_id is not null
    group by workspace, conversation_id, sent_local_date
),

countable_conversations as (
    select *
    from conversations
    where not is_outbound_only
),

open_stretches as (
    select
        countable_conversations.workspace,
        countable_conversations.conversation_id,
        cast({{ local_timestamp('status.from_at', 'workspaces.timezone') }} as date) as from_date,
        cast({{ local_timestamp('coalesce(status.to_at, workspaces.as_of)', 'workspaces.timezone') }} as date) as to_date
    from status
    inner join countable_conversations
        on status.conversation_id = countable_conversations.conversation_id
    inner join workspaces
        on countable_conversations.workspace = workspaces.workspace
    where status.status = 'open'
),

-- open, waiting and unread are stretches of time: a stretch holds at the end of every day it touches but its last
open_day_ends as (
    select
        workspace,
        conversation_id,
        {{ each_date('from_date', 'to_date') }} as local_date
    from open_stretches
),

late_questions as (
    select
        turns.workspace,
        turns.conversation_id,
        cast({{ local_timestamp('turns.wrote_after_close_at', 'workspaces.timezone') }} as date) as from_date,
        cast({{ local_timestamp('coalesce(turns.ended_at, workspaces.as_of)', 'workspaces.timezone') }} as date) as to_date
    from turns
    inner join workspaces
        on turns.workspace = workspaces.workspace
    where turns.wrote_after_close_at is not null
),

late_question_day_ends as (
    select
        workspace,
        conversation_id,
        {{ each_date('from_date', 'to_date') }} as local_date
    from late_questions
),

-- only these can count on a day: with a message, open at its end, or written to after their close
relevant_days as (
    select workspace, conversation_id, local_date from active_conversations
    union
    select workspace, conversation_id, local_date from open_day_ends
    union
    select workspace, conversation_id, local_date from late_question_day_ends
),

status_at_end as (
    select
        relevant_days.local_date,
        relevant_days.conversation_id,
        countable_conversations.workspace,
        countable_conversations.channel,
        status.status,
        status.closed_by,
        days.state_at
    from relevant_days
    inner join days
        on relevant_days.workspace = days.workspace and relevant_days.local_date = days.local_date
    inner join countable_conversations
        on relevant_days.conversation_id = countable_conversations.conversation_id
    inner join status
        on relevant_days.conversation_id = status.conversation_id
    where
        countable_conversations.first_customer_message_at < days.state_at
        and status.from_at < days.state_at
        and (status.to_at is null or status.to_at >= days.state_at)
),

waiting_at_end as (
    select
        status_at_end.local_date,
        turns.conversation_id,
        min(turns.started_at) as waiting_since,
        max(case when turns.wrote_after_close_at < status_at_end.state_at then 1 else 0 end) = 1 as has_written_after_close
    from status_at_end
    inner join turns
        on
            status_at_end.conversation_id = turns.conversation_id
            and turns.started_at < status_at_end.state_at
            and (turns.ended_at is null or turns.ended_at >= status_at_end.state_at)
    group by status_at_end.local_date, turns.conversation_id
),

unread_at_end as (
    select
        status_at_end.local_date,
        unread_spans.conversation_id
    from status_at_end
    inner join unread_spans
        on
            status_at_end.conversation_id = unread_spans.conversation_id
            and unread_spans.from_at < status_at_end.state_at
            and (unread_spans.to_at is null or unread_spans.to_at >= status_at_end.state_at)
    group by status_at_end.local_date, unread_spans.conversation_id
),

-- whether the last turn begun by the day's end had an answer by then
last_turns as (
    select
        active_conversations.local_date,
        turns.conversation_id,
        max_by(turns.answered_at is null or turns.answered_at >= days.state_at, turns.turn_number)
            as is_left_unanswered
    from active_conversations
    inner join turns
        on active_conversations.conversation_id = turns.conversation_id
    inner join days
        on
            active_conversations.workspace = days.workspace
            and active_conversations.local_date = days.local_date
    where turns.started_at < days.state_at
    group by active_conversations.local_date, turns.conversation_id
),

state_of_day as (
    select
        status_at_end.workspace,
        status_at_end.channel,
        status_at_end.local_date,
        status_at_end.status,
        status_at_end.closed_by,
        active_conversations.conversation_id is not null as is_active,
        coalesce(last_turns.is_left_unanswered, false) as is_left_unanswered,
        waiting_at_end.conversation_id is not null as is_waiting,
        coalesce(waiting_at_end.has_written_after_close, false) as has_written_after_close,
        unread_at_end.conversation_id is not null as is_unread,
        {{ seconds_between('waiting_at_end.waiting_since', 'status_at_end.state_at') }} as wait_seconds
    from status_at_end
    left join active_conversations
        on
            status_at_end.conversation_id = active_conversations.conversation_id
            and status_at_end.local_date = active_conversations.local_date
    left join waiting_at_end
        on
            status_at_end.conversation_id = waiting_at_end.conversation_id
            and status_at_end.local_date = waiting_at_end.local_date
    left join unread_at_end
        on
            status_at_end.conversation_id = unread_at_end.conversation_id
            and status_at_end.local_date = unread_at_end.local_date
    left join last_turns
        on
            status_at_end.conversation_id = last_turns.conversation_id
            and status_at_end.local_date = last_turns.local_date
),

conversations_of_day as (
    select
        workspace,
        channel,
        local_date,
        count(case when is_active then 1 end) as total_conversations,
        count(case when is_active and status = 'open' then 1 end) as open_conversations,
        count(case when is_active and status = 'closed' then 1 end) as closed_conversations,
        count(case when is_active and status = 'closed' and closed_by = 'person' then 1 end) as closed_by_person,
        count(case when is_active and status = 'closed' and closed_by = 'automation' then 1 end) as closed_by_automation,
        count(case when is_active and status = 'closed' and closed_by = 'silence' then 1 end) as closed_by_silence,
        count(case when is_active and status = 'closed' and closed_by = 'unknown' then 1 end) as closed_by_unknown,
        count(case when is_active and status = 'closed' and is_left_unanswered then 1 end) as ended_unanswered,
        count(case when is_active and is_unread then 1 end) as unread_conversations,
        count(case when is_active and status = 'open' and is_waiting then 1 end) as waiting_conversations,
        max(case when is_active and status = 'open' then wait_seconds end) as oldest_wait_seconds,
        count(case when status = 'open' then 1 end) as open_at_end,
        count(case when status = 'open' and is_unread then 1 end) as unread_at_end,
        count(case when status = 'open' and is_waiting then 1 end) as waiting_at_end,
        max(case when status = 'open' then wait_seconds end) as oldest_wait_at_end_seconds,
        count(case when status = 'closed' and has_written_after_close then 1 end) as waiting_after_close
    from state_of_day
    group by workspace, channel, local_date
),

broadcasts_of_day as (
    select
        conversations.workspace,
        conversations.channel,
        active_conversations.local_date,
        count(*) as broadcast_only_conversations
    from active_conversations
    inner join conversations
        on active_conversations.conversation_id = conversations.conversation_id
    where active_conversations.is_broadcast_only
    group by conversations.workspace, conversations.channel, active_conversations.local_date
),

begun_of_day as (
    select
        workspace,
        channel,
        first_customer_local_date as local_date,
        count(*) as new_conversations,
        count(case when is_business_started then 1 end) as business_started
    from countable_conversations
    group by workspace, channel, first_customer_local_date
),

answers_of_day as (
    select
        workspace,
        channel,
        answered_local_date as local_date,
        count(*) as answered_turns,
        sum(response_seconds) as response_seconds_sum,
        percentile_disc(0.5) within group (order by response_seconds) as response_seconds_p50,
        percentile_disc(0.9) within group (order by response_seconds) as response_seconds_p90,
        sum(business_response_seconds) as business_response_seconds_sum,
        count(case when business_response_seconds > 0 then 1 end) as business_answered_turns,
        count(case when business_response_seconds = 0 then 1 end) as offhours_answered_turns,
        count(case when is_answered_by_unknown then 1 end) as turns_answered_by_unknown
    from turns
    where answered_at is not null
    group by workspace, channel, answered_local_date
),

questions_of_day as (
    select
        workspace,
        channel,
        started_local_date as local_date,
        count(case when answered_local_date is null or answered_local_date > started_local_date then 1 end) as unanswered_turns
    from turns
    group by workspace, channel, started_local_date
),

endings_of_day as (
    select
        episodes.workspace,
        episodes.channel,
        episodes.closed_local_date as local_date,
        count(*) as ended_episodes,
        sum(episodes.duration_seconds) as duration_seconds_sum,
        percentile_disc(0.5) within group (order by episodes.duration_seconds) as duration_seconds_p50,
        percentile_disc(0.9) within group (order by episodes.duration_seconds) as duration_seconds_p90
    from episodes
    inner join countable_conversations
        on
            episodes.conversation_id = countable_conversations.conversation_id
            and countable_conversations.first_customer_local_date <= episodes.closed_local_date
    where episodes.duration_seconds is not null
    group by episodes.workspace, episodes.channel, episodes.closed_local_date
)

select
    channel_days.local_date,
    channel_days.workspace,
    channel_days.channel,
    coalesce(conversations_of_day.total_conversations, 0) as total_conversations,
    coalesce(begun_of_day.new_conversations, 0) as new_conversations,
    coalesce(conversations_of_day.open_conversations, 0) as open_conversations,
    coalesce(conversations_of_day.closed_conversations, 0) as closed_conversations,
    coalesce(conversations_of_day.closed_by_person, 0) as closed_by_person,
    coalesce(conversations_of_day.closed_by_automation, 0) as closed_by_automation,
    coalesce(conversations_of_day.closed_by_silence, 0) as closed_by_silence,
    coalesce(conversations_of_day.closed_by_unknown, 0) as closed_by_unknown,
    coalesce(conversations_of_day.ended_unanswered, 0) as ended_unanswered,
    coalesce(conversations_of_day.unread_conversations, 0) as unread_conversations,
    coalesce(conversations_of_day.waiting_conversations, 0) as waiting_conversations,
    conversations_of_day.oldest_wait_seconds,
    cast(cast(answers_of_day.response_seconds_sum as double) / nullif(answers_of_day.answered_turns, 0) as decimal(18, 6))
        as avg_response_seconds,
    coalesce(answers_of_day.answered_turns, 0) as answered_turns,
    coalesce(questions_of_day.unanswered_turns, 0) as unanswered_turns,
    cast(answers_of_day.response_seconds_sum as decimal(38, 6)) as response_seconds_sum,
    answers_of_day.response_seconds_p50,
    answers_of_day.response_seconds_p90,
    cast(answers_of_day.business_response_seconds_sum as decimal(38, 6)) as business_response_seconds_sum,
    coalesce(answers_of_day.business_answered_turns, 0) as business_answered_turns,
    coalesce(answers_of_day.offhours_answered_turns, 0) as offhours_answered_turns,
    coalesce(answers_of_day.turns_answered_by_unknown, 0) as turns_answered_by_unknown,
    coalesce(messages_of_day.unique_customers, 0) as unique_customers,
    coalesce(messages_of_day.contacted_customers, 0) as contacted_customers,
    cast(cast(endings_of_day.duration_seconds_sum as double) / nullif(endings_of_day.ended_episodes, 0) as decimal(18, 6))
        as avg_duration_seconds,
    coalesce(endings_of_day.ended_episodes, 0) as ended_episodes,
    cast(endings_of_day.duration_seconds_sum as decimal(38, 6)) as duration_seconds_sum,
    endings_of_day.duration_seconds_p50,
    endings_of_day.duration_seconds_p90,
    coalesce(messages_of_day.messages, 0) as messages,
    coalesce(messages_of_day.customer_messages, 0) as customer_messages,
    coalesce(messages_of_day.agent_messages, 0) as agent_messages,
    coalesce(messages_of_day.automation_messages, 0) as automation_messages,
    coalesce(messages_of_day.unknown_messages, 0) as unknown_messages,
    coalesce(broadcasts_of_day.broadcast_only_conversations, 0) as broadcast_only_conversations,
    coalesce(begun_of_day.business_started, 0) as business_started,
    coalesce(conversations_of_day.open_at_end, 0) as open_at_end,
    coalesce(conversations_of_day.unread_at_end, 0) as unread_at_end,
    coalesce(conversations_of_day.waiting_at_end, 0) as waiting_at_end,
    conversations_of_day.oldest_wait_at_end_seconds,
    coalesce(conversations_of_day.waiting_after_close, 0) as waiting_after_close
from channel_days
left join messages_of_day
    on
        channel_days.workspace = messages_of_day.workspace
        and channel_days.channel = messages_of_day.channel
        and channel_days.local_date = messages_of_day.local_date
left join conversations_of_day
    on
        channel_days.workspace = conversations_of_day.workspace
        and channel_days.channel = conversations_of_day.channel
        and channel_days.local_date = conversations_of_day.local_date
left join broadcasts_of_day
    on
        channel_days.workspace = broadcasts_of_day.workspace
        and channel_days.channel = broadcasts_of_day.channel
        and channel_days.local_date = broadcasts_of_day.local_date
left join begun_of_day
    on
        channel_days.workspace = begun_of_day.workspace
        and channel_days.channel = begun_of_day.channel
        and channel_days.local_date = begun_of_day.local_date
left join answers_of_day
    on
        channel_days.workspace = answers_of_day.workspace
        and channel_days.channel = answers_of_day.channel
        and channel_days.local_date = answers_of_day.local_date
left join questions_of_day
    on
        channel_days.workspace = questions_of_day.workspace
        and channel_days.channel = questions_of_day.channel
        and channel_days.local_date = questions_of_day.local_date
left join endings_of_day
    on
        channel_days.workspace = endings_of_day.workspace
        and channel_days.channel = endings_of_day.channel
        and channel_days.local_date = endings_of_day.local_date
