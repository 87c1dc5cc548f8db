{{ config(meta={'stage': 'periods', 'touched': {}}) }}

-- The figures of each period beside those of the period it is compared to, per channel and for all together.
-- Previous figures are null unless the source covered the whole previous period.
with periods as (
    select * from {{ ref('dim_periods') }}
),

channels as (
    select * from {{ ref('dim_channels') }}
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

ranges as (
    select workspace, period, false as is_previous, from_at, until_at
    from periods

    union all

    select workspace, period, true as is_previous, previous_from_at as from_at, previous_until_at as until_at
    from periods
),

channel_scopes as (
    select workspace, channel as scope, channel, covered_from
    from channels

    union all

    select workspace, 'all' as scope, channel, covered_from
    from channels
),

scopes as (
    select
        ranges.workspace,
        ranges.period,
        ranges.is_previous,
        ranges.from_at,
        ranges.until_at,
        channel_scopes.scope,
        max(channel_scopes.covered_from) <= ranges.from_at as is_covered
    from ranges
    inner join channel_scopes
        on ranges.workspace = channel_scopes.workspace
    group by
        ranges.workspace, ranges.period, ranges.is_previous, ranges.from_at, ranges.until_at, channel_scopes.scope
),

-- who wrote how much in which conversation of a range: all that is asked of messages, in far fewer rows
written as (
    select
        ranges.period,
        ranges.is_previous,
        messages.workspace,
        messages.channel,
        messages.conversation_id,
        messages.customer_id,
        count(*) as messages,
        count(case when messages.author_type = 'customer' then 1 end) as customer_messages,
        count(case when messages.author_type = 'agent' then 1 end) as agent_messages,
        count(case when messages.author_type = 'automation' then 1 end) as automation_messages,
        count(case when messages.author_type = 'unknown' then 1 end) as unknown_messages
    from messages
    inner join ranges
        on
            messages.workspace = ranges.workspace
            and messages.sent_at >= ranges.from_at
            and messages.sent_at < ranges.until_at
    where messages.is_counted
    group by
        ranges.period,
        ranges.is_previous,
        messages.workspace,
        messages.channel,
        messages.conversation_id,
        messages.customer_id
),

message_figures as (
    select
        written.workspace,
        written.period,
        written.is_previous,
        channel_scopes.scope,
        cast(sum(written.messages) as bigint) as messages,
        cast(sum(written.customer_messages) as bigint) as customer_messages,
        cast(sum(written.agent_messages) as bigint) as agent_messages,
        cast(sum(written.automation_messages) as bigint) as automation_messages,
        cast(sum(written.unknown_messages) as bigint) as unknown_messages,
        count(distinct case when written.customer_messages > 0 then written.customer_id end) as unique_customers,
        count(distinct case when written.messages > written.customer_messages then written.customer_id end)
            as contacted_customers
    from written
    inner join channel_scopes
        on written.workspace = channel_scopes.workspace and written.channel = channel_scopes.channel
    group by written.workspace, written.period, written.is_previous, channel_scopes.scope
),

active_conversations as (
    select conversation_id, period, is_previous
    from written
    where conversation_id is not null
    group by conversation_id, period, is_previous
),

-- how the conversations of each range stood at its end
conversations_then as (
    select
        ranges.period,
        ranges.is_previous,
        ranges.until_at,
        conversations.workspace,
        conversations.channel,
        conversations.conversation_id,
        conversations.first_customer_message_at >= ranges.from_at as is_new,
        status.status,
        status.closed_by,
        active_conversations.conversation_id is not null as is_active
    from conversations
    inner join ranges
        on
            conversations.workspace = ranges.workspace
            and conversations.first_customer_message_at < ranges.until_at
    inner join status
        on
            conversations.conversation_id = status.conversation_id
            and status.from_at < ranges.until_at
            and (status.to_at is null or status.to_at >= ranges.until_at)
    left join active_conversations
        on
            conversations.conversation_id = active_conversations.conversation_id
            and ranges.period = active_conversations.period
            and ranges.is_previous = active_conversations.is_previous
    -- of no other conversation is anything counted
    where active_conversations.conversation_id is not null or conversations.first_customer_message_at >= ranges.from_at
),

turns_then as (
    select
        active_conversations.conversation_id,
        active_conversations.period,
        active_conversations.is_previous,
        min(case when turns.ended_at is null or turns.ended_at >= ranges.until_at then turns.started_at end) as waiting_since,
        max_by(turns.answered_at is null or turns.answered_at >= ranges.until_at, turns.turn_number) as is_left_unanswered
    from active_conversations
    inner join turns
        on active_conversations.conversation_id = turns.conversation_id
    inner join ranges
        on
            turns.workspace = ranges.workspace
            and active_conversations.period = ranges.period
            and active_conversations.is_previous = ranges.is_previous
            and turns.started_at < ranges.until_at
    group by active_conversations.conversation_id, active_conversations.period, active_conversations.is_previous
),

unread_then as (
    select
        unread_spans.conversation_id,
        ranges.period,
        ranges.is_previous
    from unread_spans
    inner join ranges
        on
            unread_spans.workspace = ranges.workspace
            and unread_spans.from_at < ranges.until_at
            and (unread_spans.to_at is null or unread_spans.to_at >= ranges.until_at)
    group by unread_spans.conversation_id, ranges.period, ranges.is_previous
),

state_then as (
    select
        conversations_then.*,
        turns_then.waiting_since is not null as is_waiting,
        coalesce(turns_then.is_left_unanswered, false) as is_left_unanswered,
        unread_then.conversation_id is not null as is_unread,
        {{ seconds_between('turns_then.waiting_since', 'conversations_then.until_at') }} as wait_seconds
    from conversations_then
    left join turns_then
        on
            conversations_then.conversation_id = turns_then.conversation_id
            and conversations_then.period = turns_then.period
            and conversations_then.is_previous = turns_then.is_previous
    left join unread_then
        on
            conversations_then.conversation_id = unread_then.conversation_id
            and conversations_then.period = unread_then.period
            and conversations_then.is_previous = unread_then.is_previous
),

conversation_figures as (
    select
        state_then.workspace,
        state_then.period,
        state_then.is_previous,
        channel_scopes.scope,
        count(case when is_active then 1 end) as total_conversations,
        count(case when is_new then 1 end) as new_conversations,
        count(case when is_active and status = 'open' then 1 end) as open_conversations,
        count(case when is_active and status = 'closed' then 1 end) as closed_conversations,
        count(case when is_active and status = 'closed' and closed_by = 'person' then 1 end) as closed_by_person,
        count(case when is_active and status = 'closed' and closed_by = 'automation' then 1 end) as closed_by_automation,
        count(case when is_active and status = 'closed' and closed_by = 'silence' then 1 end) as closed_by_silence,
        count(case when is_active and status = 'closed' and closed_by = 'unknown' then 1 end) as closed_by_unknown,
        count(case when is_active and status = 'closed' and is_left_unanswered then 1 end) as ended_unanswered,
        count(case when is_active and is_unread then 1 end) as unread_conversations,
        count(case when is_active and status = 'open' and is_waiting then 1 end) as waiting_conversations,
        max(case when is_active and status = 'open' then wait_seconds end) as oldest_wait_seconds
    from state_then
    inner join channel_scopes
        on state_then.workspace = channel_scopes.workspace and state_then.channel = channel_scopes.channel
    group by state_then.workspace, state_then.period, state_then.is_previous, channel_scopes.scope
),

answer_figures as (
    select
        ranges.workspace,
        ranges.period,
        ranges.is_previous,
        channel_scopes.scope,
        count(*) as answered_turns,
        sum(turns.response_seconds) as response_seconds_sum,
        percentile_disc(0.5) within group (order by turns.response_seconds) as response_seconds_p50,
        percentile_disc(0.9) within group (order by turns.response_seconds) as response_seconds_p90,
        sum(turns.business_response_seconds) as business_response_seconds_sum,
        count(case when turns.business_response_seconds > 0 then 1 end) as business_answered_turns,
        count(case when turns.business_response_seconds = 0 then 1 end) as offhours_answered_turns
    from turns
    inner join ranges
        on
            turns.workspace = ranges.workspace
            and turns.answered_at >= ranges.from_at
            and turns.answered_at < ranges.until_at
    inner join channel_scopes
        on turns.workspace = channel_scopes.workspace and turns.channel = channel_scopes.channel
    group by ranges.workspace, ranges.period, ranges.is_previous, channel_scopes.scope
),

question_figures as (
    select
        ranges.workspace,
        ranges.period,
        ranges.is_previous,
        channel_scopes.scope,
        count(case when turns.answered_at is null or turns.answered_at >= ranges.until_at then 1 end) as unanswered_turns
    from turns
    inner join ranges
        on
            turns.workspace = ranges.workspace
            and turns.started_at >= ranges.from_at
            and turns.started_at < ranges.until_at
    inner join channel_scopes
        on turns.workspace = channel_scopes.workspace and turns.channel = channel_scopes.channel
    group by ranges.workspace, ranges.period, ranges.is_previous, channel_scopes.scope
),

ending_figures as (
    select
        ranges.workspace,
        ranges.period,
        ranges.is_previous,
        channel_scopes.scope,
        count(*) as ended_episodes,
        sum(episodes.duration_seconds) as duration_seconds_sum
    from episodes
    inner join ranges
        on
            episodes.workspace = ranges.workspace
            and episodes.closed_at >= ranges.from_at
            and episodes.closed_at < ranges.until_at
    inner join conversations
        on
            episodes.conversation_id = conversations.conversation_id
            and conversations.first_customer_message_at < ranges.until_at
    inner join channel_scopes
        on episodes.workspace = channel_scopes.workspace and episodes.channel = channel_scopes.channel
    where episodes.duration_seconds is not null
    group by ranges.workspace, ranges.period, ranges.is_previous, channel_scopes.scope
),

figures as (
    select
        scopes.workspace,
        scopes.period,
        scopes.is_previous,
        scopes.scope,
        scopes.is_covered,
        coalesce(conversation_figures.total_conversations, 0) as total_conversations,
        coalesce(conversation_figures.new_conversations, 0) as new_conversations,
        coalesce(conversation_figures.open_conversations, 0) as open_conversations,
        coalesce(conversation_figures.closed_conversations, 0) as closed_conversations,
        coalesce(conversation_figures.closed_by_person, 0) as closed_by_person,
        coalesce(conversation_figures.closed_by_automation, 0) as closed_by_automation,
        coalesce(conversation_figures.closed_by_silence, 0) as closed_by_silence,
        coalesce(conversation_figures.closed_by_unknown, 0) as closed_by_unknown,
        coalesce(conversation_figures.ended_unanswered, 0) as ended_unanswered,
        coalesce(conversation_figures.unread_conversations, 0) as unread_conversations,
        coalesce(conversation_figures.waiting_conversations, 0) as waiting_conversations,
        conversation_figures.oldest_wait_seconds,
        cast(cast(answer_figures.response_seconds_sum as double) / nullif(answer_figures.answered_turns, 0) as decimal(18, 6)) as avg_response_seconds,
        coalesce(answer_figures.answered_turns, 0) as answered_turns,
        coalesce(question_figures.unanswered_turns, 0) as unanswered_turns,
        cast(answer_figures.response_seconds_sum as decimal(38, 6)) as response_seconds_sum,
        answer_figures.response_seconds_p50,
        answer_figures.response_seconds_p90,
        cast(answer_figures.business_response_seconds_sum as decimal(38, 6)) as business_response_seconds_sum,
        coalesce(answer_figures.business_answered_turns, 0) as business_answered_turns,
        coalesce(answer_figures.offhours_answered_turns, 0) as offhours_answered_turns,
        coalesce(message_figures.unique_customers, 0) as unique_customers,
        coalesce(message_figures.contacted_customers, 0) as contacted_customers,
        cast(cast(ending_figures.duration_seconds_sum as double) / nullif(ending_figures.ended_episodes, 0) as decimal(18, 6)) as avg_duration_seconds,
        coalesce(ending_figures.ended_episodes, 0) as ended_episodes,
        cast(ending_figures.duration_seconds_sum as decimal(38, 6)) as duration_seconds_sum,
        coalesce(message_figures.messages, 0) as messages,
        coalesce(message_figures.customer_messages, 0) as customer_messages,
        coalesce(message_figures.agent_messages, 0) as agent_messages,
        coalesce(message_figures.automation_messages, 0) as automation_messages,
        coalesce(message_figures.unknown_messages, 0) as unknown_messages
    from scopes
    left join message_figures
        on
            scopes.workspace = message_figures.workspace
            and scopes.period = message_figures.period
            and scopes.is_previous = message_figures.is_previous
            and scopes.scope = message_figures.scope
    left join conversation_figures
        on
            scopes.workspace = conversation_figures.workspace
            and scopes.period = conversation_figures.period
            and scopes.is_previous = conversation_figures.is_previous
            and scopes.scope = conversation_figures.scope
    left join answer_figures
        on
            scopes.workspace = answer_figures.workspace
            and scopes.period = answer_figures.period
            and scopes.is_previous = answer_figures.is_previous
            and scopes.scope = answer_figures.scope
    left join question_figures
        on
            scopes.workspace = question_figures.workspace
            and scopes.period = question_figures.period
            and scopes.is_previous = question_figures.is_previous
            and scopes.scope = question_figures.scope
    left join ending_figures
        on
            scopes.workspace = ending_figures.workspace
            and scopes.period = ending_figures.period
            and scopes.is_previous = ending_figures.is_previous
            and scopes.scope = ending_figures.scope
)

select
    this_period.period,
    this_period.workspace,
    this_period.scope as channel,
    periods.from_date,
    periods.to_date,
    periods.previous_from_date,
    periods.previous_to_date,
    this_period.total_conversations,
    this_period.new_conversations,
    this_period.open_conversations,
    this_period.closed_conversations,
    this_period.closed_by_person,
    this_period.closed_by_automation,
    this_period.closed_by_silence,
    this_period.closed_by_unknown,
    this_period.ended_unanswered,
    this_period.unread_conversations,
    this_period.waiting_conversations,
    this_period.oldest_wait_seconds,
    this_period.avg_response_seconds,
    this_period.answered_turns,
    this_period.unanswered_turns,
    this_period.response_seconds_sum,
    this_period.response_seconds_p50,
    this_period.response_seconds_p90,
    this_period.business_response_seconds_sum,
    this_period.business_answered_turns,
    this_period.offhours_answered_turns,
    this_period.unique_customers,
    this_period.contacted_customers,
    this_period.avg_duration_seconds,
    this_period.ended_episodes,
    this_period.duration_seconds_sum,
    this_period.messages,
    this_period.customer_messages,
    this_period.agent_messages,
    this_period.automation_messages,
    this_period.unknown_messages,
    case when previous_period.is_covered then previous_period.total_conversations end as previous_total_conversations,
    case when previous_period.is_covered then previous_period.new_conversations end as previous_new_conversations,
    case when previous_period.is_covered then previous_period.open_conversations end as previous_open_conversations,
    case when previous_period.is_covered then previous_period.closed_conversations end as previous_closed_conversations,
    case when previous_period.is_covered then previous_period.closed_by_person end as previous_closed_by_person,
    case when previous_period.is_covered then previous_period.closed_by_automation end as previous_closed_by_automation,
    case when previous_period.is_covered then previous_period.closed_by_silence end as previous_closed_by_silence,
    case when previous_period.is_covered then previous_period.closed_by_unknown end as previous_closed_by_unknown,
    case when previous_period.is_covered then previous_period.ended_unanswered end as previous_ended_unanswered,
    case when previous_period.is_covered then previous_period.unread_conversations end as previous_unread_conversations,
    case when previous_period.is_covered then previous_period.waiting_conversations end as previous_waiting_conversations,
    case when previous_period.is_covered then previous_period.oldest_wait_seconds end as previous_oldest_wait_seconds,
    case when previous_period.is_covered then previous_period.avg_response_seconds end as previous_avg_response_seconds,
    case when previous_period.is_covered then previous_period.answered_turns end as previous_answered_turns,
    case when previous_period.is_covered then previous_period.unanswered_turns end as previous_unanswered_turns,
    case when previous_period.is_covered then previous_period.response_seconds_sum end as previous_response_seconds_sum,
    case when previous_period.is_covered then previous_period.response_seconds_p50 end as previous_response_seconds_p50,
    case when previous_period.is_covered then previous_period.response_seconds_p90 end as previous_response_seconds_p90,
    case when previous_period.is_covered then previous_period.business_response_seconds_sum end as previous_business_response_seconds_sum,
    case when previous_period.is_covered then previous_period.business_answered_turns end as previous_business_answered_turns,
    case when previous_period.is_covered then previous_period.offhours_answered_turns end as previous_offhours_answered_turns,
    case when previous_period.is_covered then previous_period.unique_customers end as previous_unique_customers,
    case when previous_period.is_covered then previous_period.contacted_customers end as previous_contacted_customers,
    case when previous_period.is_covered then previous_period.avg_duration_seconds end as previous_avg_duration_seconds,
    case when previous_period.is_covered then previous_period.ended_episodes end as previous_ended_episodes,
    case when previous_period.is_covered then previous_period.duration_seconds_sum end as previous_duration_seconds_sum,
    case when previous_period.is_covered then previous_period.messages end as previous_messages,
    case when previous_period.is_covered then previous_period.customer_messages end as previous_customer_messages,
    case when previous_period.is_covered then previous_period.agent_messages end as previous_agent_messages,
    case when previous_period.is_covered then previous_period.automation_messages end as previous_automation_messages,
    case when previous_period.is_covered then previous_period.unknown_messages end as previous_unknown_messages
from figures as this_period
inner join figures as previous_period
    on
        this_period.workspace = previous_period.workspace
        and this_period.period = previous_period.period
        and this_period.scope = previous_period.scope
        and previous_period.is_previous
inner join periods
    on this_period.workspace = periods.workspace and this_period.period = periods.period
where not this_period.is_previous
