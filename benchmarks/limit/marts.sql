-- The marts of a shop that only has WhatsApp, from messages, conversations, turns and episodes. A day is a number of
-- days since 1970 in local time; what needs a calendar of working hours stays empty, as this shop has none.
create or replace macro as_of_s() as epoch(getvariable('as_of'));
create or replace macro day_end(day) as least((day + 1) * 86400 - 10800, as_of_s());
create or replace macro local_date(day) as date '1970-01-01' + cast(day as integer);
create or replace macro agent_hash(tag) as
    left(sha256(getvariable('key') || '|agent|default|whatsapp||' || substr(tag, 7)), 32);

create temp table channel_days as
select channel, unnest(range(first_day, (cast(as_of_s() as bigint) + 10800 - 1) // 86400 + 1)) as day
from (select channel, min(local_day) as first_day from messages where not is_failed group by channel);

create temp table counted_messages as
select channel, person, author, at_s, local_day, local_s // 3600 as hour
from messages
where not is_failed;

-- a conversation on a day: it was written in, or open at some time of it
create temp table conversation_days as
with told_days as (
    select
        conversation,
        local_day as day,
        true as is_active,
        count(*) = count(*) filter (author = 'automation') as is_broadcast_only
    from placed
    group by conversation, local_day
),

spans as (
    select
        conversation,
        first_at,
        closed_at,
        unnest(range((first_at + 10800) // 86400, (coalesce(closed_at, cast(as_of_s() as bigint)) + 10800) // 86400 + 1)) as day
    from episodes
),

stood as (
    select
        conversation,
        day,
        arg_max(coalesce(closed_at, 9223372036854775807), first_at) as closed_at
    from spans
    group by conversation, day
)

select
    conversations.channel,
    stood.conversation,
    stood.day,
    conversations.first_customer_at,
    coalesce(told_days.is_active, false) as is_active,
    coalesce(told_days.is_broadcast_only, false) as is_broadcast_only,
    stood.closed_at >= day_end(stood.day) as is_open,
    turns.at_s is not null and (turns.answered_at is null or turns.answered_at >= day_end(stood.day)) as is_waiting,
    day_end(stood.day) - turns.at_s as wait
from (select *, day_end(day) as ends_at from stood) as stood
inner join conversations
    on stood.conversation = conversations.conversation
left join told_days
    on stood.conversation = told_days.conversation and stood.day = told_days.day
asof left join turns
    on stood.conversation = turns.conversation and stood.ends_at > turns.at_s
where stood.day * 86400 - 10800 < as_of_s();

create table mart_daily_metrics as
with messages_of_day as (
    select
        channel,
        local_day as day,
        count(*) as messages,
        count(*) filter (author = 'customer') as customer_messages,
        count(*) filter (author = 'agent') as agent_messages,
        count(*) filter (author = 'automation') as automation_messages,
        count(*) filter (author = 'unknown') as unknown_messages,
        count(distinct person) filter (author = 'customer') as unique_customers,
        count(distinct person) filter (author <> 'customer') as contacted_customers
    from counted_messages
    group by channel, local_day
),

states as (
    select
        channel,
        day,
        count(*) filter (is_active and is_countable) as total_conversations,
        count(*) filter (is_active and is_countable and is_open) as open_conversations,
        count(*) filter (is_active and is_countable and not is_open) as closed_conversations,
        count(*) filter (is_active and is_countable and not is_open and is_waiting) as ended_unanswered,
        count(*) filter (is_active and is_countable and is_waiting) as unread_conversations,
        count(*) filter (is_active and is_countable and is_open and is_waiting) as waiting_conversations,
        max(wait) filter (is_active and is_countable and is_open and is_waiting) as oldest_wait_seconds,
        count(*) filter (is_countable and is_open) as open_at_end,
        count(*) filter (is_countable and is_open and is_waiting) as waiting_at_end,
        max(wait) filter (is_countable and is_open and is_waiting) as oldest_wait_at_end_seconds,
        count(*) filter (is_broadcast_only) as broadcast_only_conversations
    from (select *, coalesce(first_customer_at < day_end(day), false) as is_countable from conversation_days)
    group by channel, day
),

begun as (
    select
        channel,
        first_customer_local_s // 86400 as day,
        count(*) as new_conversations,
        count(*) filter (is_business_started) as business_started
    from conversations
    where first_customer_at is not null
    group by channel, first_customer_local_s // 86400
),

answers as (
    select
        channel,
        (answered_at + 10800) // 86400 as day,
        count(*) as answered_turns,
        sum(response_seconds) as response_seconds_sum,
        quantile_disc(response_seconds, 0.5) as response_seconds_p50,
        quantile_disc(response_seconds, 0.9) as response_seconds_p90,
        count(*) filter (answer_author = 'unknown') as turns_answered_by_unknown
    from turns
    where answered_at is not null
    group by channel, (answered_at + 10800) // 86400
),

questions as (
    select
        channel,
        local_s // 86400 as day,
        count(*) filter (answered_at is null or (answered_at + 10800) // 86400 > local_s // 86400) as unanswered_turns
    from turns
    group by channel, local_s // 86400
),

endings as (
    select
        episodes.channel,
        (episodes.closed_at + 10800) // 86400 as day,
        count(*) as ended_episodes,
        sum(episodes.seconds) as duration_seconds_sum,
        quantile_disc(episodes.seconds, 0.5) as duration_seconds_p50,
        quantile_disc(episodes.seconds, 0.9) as duration_seconds_p90
    from episodes
    inner join conversations
        on
            episodes.conversation = conversations.conversation
            and conversations.first_customer_local_s // 86400 <= (episodes.closed_at + 10800) // 86400
    where episodes.closed_at is not null
    group by episodes.channel, (episodes.closed_at + 10800) // 86400
)

select
    local_date(day) as local_date,
    'default' as workspace,
    channel,
    coalesce(total_conversations, 0) as total_conversations,
    coalesce(new_conversations, 0) as new_conversations,
    coalesce(open_conversations, 0) as open_conversations,
    coalesce(closed_conversations, 0) as closed_conversations,
    0 as closed_by_person,
    0 as closed_by_automation,
    coalesce(closed_conversations, 0) as closed_by_silence,
    0 as closed_by_unknown,
    coalesce(ended_unanswered, 0) as ended_unanswered,
    coalesce(unread_conversations, 0) as unread_conversations,
    coalesce(waiting_conversations, 0) as waiting_conversations,
    oldest_wait_seconds,
    cast(response_seconds_sum / answered_turns as decimal(18, 6)) as avg_response_seconds,
    coalesce(answered_turns, 0) as answered_turns,
    coalesce(unanswered_turns, 0) as unanswered_turns,
    response_seconds_sum,
    response_seconds_p50,
    response_seconds_p90,
    coalesce(turns_answered_by_unknown, 0) as turns_answered_by_unknown,
    coalesce(unique_customers, 0) as unique_customers,
    coalesce(contacted_customers, 0) as contacted_customers,
    cast(duration_seconds_sum / ended_episodes as decimal(18, 6)) as avg_duration_seconds,
    coalesce(ended_episodes, 0) as ended_episodes,
    duration_seconds_sum,
    duration_seconds_p50,
    duration_seconds_p90,
    coalesce(messages, 0) as messages,
    coalesce(customer_messages, 0) as customer_messages,
    coalesce(agent_messages, 0) as agent_messages,
    coalesce(automation_messages, 0) as automation_messages,
    coalesce(unknown_messages, 0) as unknown_messages,
    coalesce(broadcast_only_conversations, 0) as broadcast_only_conversations,
    coalesce(business_started, 0) as business_started,
    coalesce(open_at_end, 0) as open_at_end,
    coalesce(waiting_at_end, 0) as unread_at_end,
    coalesce(waiting_at_end, 0) as waiting_at_end,
    oldest_wait_at_end_seconds,
    0 as waiting_after_close
from channel_days
left join messages_of_day using (channel, day)
left join states using (channel, day)
left join begun using (channel, day)
left join answers using (channel, day)
left join questions using (channel, day)
left join endings using (channel, day);

create table mart_hourly_metrics as
with messages_of_hour as (
    select
        channel,
        hour,
        count(*) as messages,
        count(*) filter (author = 'customer') as customer_messages,
        count(*) filter (author = 'agent') as agent_messages,
        count(*) filter (author = 'automation') as automation_messages,
        count(*) filter (author = 'unknown') as unknown_messages,
        count(distinct person) filter (author = 'customer') as unique_customers
    from counted_messages
    group by channel, hour
),

begun as (
    select channel, first_customer_local_s // 3600 as hour, count(*) as new_conversations
    from conversations
    where first_customer_at is not null
    group by channel, first_customer_local_s // 3600
),

questions as (
    select
        channel,
        local_s // 3600 as hour,
        count(*) as begun_turns,
        count(response_seconds) as begun_turns_answered,
        sum(response_seconds) as begun_response_seconds_sum
    from turns
    group by channel, local_s // 3600
),

answers as (
    select
        channel,
        (answered_at + 10800) // 3600 as hour,
        count(*) as answered_turns,
        sum(response_seconds) as response_seconds_sum
    from turns
    where answered_at is not null
    group by channel, (answered_at + 10800) // 3600
)

select
    make_timestamp(hour * 3600000000) as local_hour,
    local_date(hour // 24) as local_date,
    cast((hour // 24 + 4) % 7 as integer) as weekday,
    cast(hour % 24 as integer) as hour_of_day,
    'default' as workspace,
    channel,
    coalesce(messages, 0) as messages,
    coalesce(customer_messages, 0) as customer_messages,
    coalesce(agent_messages, 0) as agent_messages,
    coalesce(automation_messages, 0) as automation_messages,
    coalesce(unknown_messages, 0) as unknown_messages,
    coalesce(new_conversations, 0) as new_conversations,
    coalesce(unique_customers, 0) as unique_customers,
    coalesce(begun_turns, 0) as begun_turns,
    coalesce(begun_turns_answered, 0) as begun_turns_answered,
    begun_response_seconds_sum,
    coalesce(answered_turns, 0) as answered_turns,
    response_seconds_sum
from messages_of_hour
full join begun using (channel, hour)
full join questions using (channel, hour)
full join answers using (channel, hour);

create table mart_agent_daily as
with written as (
    select channel, local_day as day, tag, count(*) as replies, count(distinct conversation) as conversations_handled
    from placed
    where author = 'agent' and tag is not null
    group by channel, local_day, tag
),

answered as (
    select
        channel,
        (answered_at + 10800) // 86400 as day,
        answer_tag as tag,
        count(*) as answered_turns,
        sum(response_seconds) as response_seconds_sum,
        quantile_disc(response_seconds, 0.5) as response_seconds_p50
    from turns
    where answer_author = 'agent' and answer_tag is not null
    group by channel, (answered_at + 10800) // 86400, answer_tag
)

select
    local_date(day) as local_date,
    agent_hash(tag) as agent_id,
    'default' as workspace,
    channel,
    coalesce(replies, 0) as replies,
    coalesce(conversations_handled, 0) as conversations_handled,
    0 as conversations_closed,
    coalesce(answered_turns, 0) as answered_turns,
    response_seconds_sum,
    response_seconds_p50
from written
full join answered using (channel, day, tag);

create table mart_campaign_daily as
with sends as (
    select *
    from messages
    where tag like 'campaign:%' or tag like 'template:%'
),

replies as (
    select sends.wamid, sends.channel
    from sends
    inner join counted_messages
        on
            sends.person = counted_messages.person
            and sends.channel = counted_messages.channel
            and counted_messages.author = 'customer'
            and counted_messages.at_s > sends.at_s
            and counted_messages.at_s <= sends.at_s + 86400
    where not sends.is_failed
    group by sends.wamid, sends.channel
)

select
    local_date(local_day) as local_date,
    cast(local_s // 3600 % 24 as integer) as local_hour,
    tag as campaign,
    'default' as workspace,
    sends.channel,
    count(*) filter (not is_failed) as sent,
    count(*) filter (progress >= 2) as delivered,
    count(*) filter (progress >= 3) as read,
    count(*) filter (is_failed) as failed,
    count(replies.wamid) as replied
from sends
left join replies
    on sends.channel = replies.channel and sends.wamid = replies.wamid
group by all;

-- periods as whole seconds, this one and the one before
create temp table ranges as
with today as (
    select cast(as_of_s() as bigint) as now, (cast(as_of_s() as bigint) + 10800) // 86400 as day
),

months as (
    select
        *,
        date_trunc('month', local_date(day)) as month_start,
        make_timestamp((now + 10800) * 1000000) as now_local
    from today
),

dates as (
    select now, 'today' as period, day as first, day as last, day - 1 as previous, now + 10800 - 86400 as previous_until from months
    union all
    select now, 'yesterday', day - 1, day - 1, day - 2, (day - 1) * 86400 from months
    union all
    select now, 'last_7_days', day - 7, day - 1, day - 14, (day - 7) * 86400 from months
    union all
    select now, 'last_30_days', day - 30, day - 1, day - 60, (day - 30) * 86400 from months
    union all
    select
        now, 'this_month', epoch(month_start) // 86400, day, epoch(month_start - interval 1 month) // 86400,
        case
            when extract(day from now_local - interval 1 month) < extract(day from now_local) then epoch(month_start)
            else epoch(now_local - interval 1 month)
        end
    from months
    union all
    select
        now, 'last_month', epoch(month_start - interval 1 month) // 86400, epoch(month_start) // 86400 - 1,
        2 * (epoch(month_start - interval 1 month) // 86400) - epoch(month_start) // 86400,
        epoch(month_start - interval 1 month)
    from months
)

select
    period, false as is_previous, cast(first as bigint) as first_day, cast(last as bigint) as last_day,
    cast(first * 86400 - 10800 as bigint) as from_at, cast(least((last + 1) * 86400 - 10800, now) as bigint) as until_at
from dates

union all

select
    period, true, cast(previous as bigint), cast(greatest(previous, (cast(previous_until as bigint) - 1) // 86400) as bigint),
    cast(previous * 86400 - 10800 as bigint), cast(previous_until - 10800 as bigint)
from dates;

create temp table scopes as
select channel, unnest([channel, 'all']) as scope from (select distinct channel from channel_days);

create temp table figures as
with messages_in_range as (
    select ranges.period, ranges.is_previous, placed.channel, placed.conversation, placed.person, placed.author
    from placed
    inner join ranges
        on placed.at_s >= ranges.from_at and placed.at_s < ranges.until_at
    where placed.at_s >= (select min(from_at) from ranges)
),

message_figures as (
    select
        period,
        is_previous,
        scope,
        count(*) as messages,
        count(*) filter (author = 'customer') as customer_messages,
        count(*) filter (author = 'agent') as agent_messages,
        count(*) filter (author = 'automation') as automation_messages,
        count(*) filter (author = 'unknown') as unknown_messages,
        count(distinct person) filter (author = 'customer') as unique_customers,
        count(distinct person) filter (author <> 'customer') as contacted_customers
    from messages_in_range
    inner join scopes using (channel)
    group by period, is_previous, scope
),

active as (
    select period, is_previous, conversation
    from messages_in_range
    group by period, is_previous, conversation
),

-- as each stood at the end: its last episode and its last turn begun by then
stood as (
    select
        active.period,
        active.is_previous,
        conversations.channel,
        ranges.until_at,
        episodes.closed_at is null or episodes.closed_at >= ranges.until_at as is_open,
        turns.at_s as turn_at,
        turns.at_s is not null and (turns.answered_at is null or turns.answered_at >= ranges.until_at) as is_waiting
    from active
    inner join ranges using (period, is_previous)
    inner join conversations
        on active.conversation = conversations.conversation and conversations.first_customer_at < ranges.until_at
    asof inner join episodes
        on active.conversation = episodes.conversation and ranges.until_at > episodes.first_at
    asof left join turns
        on active.conversation = turns.conversation and ranges.until_at > turns.at_s
),

conversation_figures as (
    select
        period,
        is_previous,
        scope,
        count(*) as total_conversations,
        count(*) filter (is_open) as open_conversations,
        count(*) filter (not is_open) as closed_conversations,
        count(*) filter (not is_open and is_waiting) as ended_unanswered,
        count(*) filter (is_waiting) as unread_conversations,
        count(*) filter (is_open and is_waiting) as waiting_conversations,
        max(until_at - turn_at) filter (is_open and is_waiting) as oldest_wait_seconds
    from stood
    inner join scopes using (channel)
    group by period, is_previous, scope
),

new_figures as (
    select period, is_previous, scope, count(*) as new_conversations
    from conversations
    inner join ranges
        on conversations.first_customer_at >= ranges.from_at and conversations.first_customer_at < ranges.until_at
    inner join scopes using (channel)
    group by period, is_previous, scope
),

answer_figures as (
    select
        period,
        is_previous,
        scope,
        count(*) as answered_turns,
        sum(response_seconds) as response_seconds_sum,
        quantile_disc(response_seconds, 0.5) as response_seconds_p50,
        quantile_disc(response_seconds, 0.9) as response_seconds_p90
    from turns
    inner join ranges
        on turns.answered_at >= ranges.from_at and turns.answered_at < ranges.until_at
    inner join scopes using (channel)
    group by period, is_previous, scope
),

question_figures as (
    select
        period,
        is_previous,
        scope,
        count(*) filter (answered_at is null or answered_at >= until_at) as unanswered_turns
    from turns
    inner join ranges
        on turns.at_s >= ranges.from_at and turns.at_s < ranges.until_at
    inner join scopes using (channel)
    group by period, is_previous, scope
),

ending_figures as (
    select period, is_previous, scope, count(*) as ended_episodes, sum(episodes.seconds) as duration_seconds_sum
    from episodes
    inner join ranges
        on episodes.closed_at >= ranges.from_at and episodes.closed_at < ranges.until_at
    inner join conversations
        on episodes.conversation = conversations.conversation and conversations.first_customer_at < ranges.until_at
    inner join scopes
        on episodes.channel = scopes.channel
    group by period, is_previous, scope
),

covered as (select min(at_s) as covered_from from counted_messages)

select
    ranges.period,
    ranges.is_previous,
    all_scopes.scope,
    covered.covered_from <= ranges.from_at as is_covered,
    local_date(ranges.first_day) as from_date,
    local_date(ranges.last_day) as to_date,
    coalesce(total_conversations, 0) as total_conversations,
    coalesce(new_conversations, 0) as new_conversations,
    coalesce(open_conversations, 0) as open_conversations,
    coalesce(closed_conversations, 0) as closed_conversations,
    coalesce(ended_unanswered, 0) as ended_unanswered,
    coalesce(unread_conversations, 0) as unread_conversations,
    coalesce(waiting_conversations, 0) as waiting_conversations,
    oldest_wait_seconds,
    cast(response_seconds_sum / answered_turns as decimal(18, 6)) as avg_response_seconds,
    coalesce(answered_turns, 0) as answered_turns,
    coalesce(unanswered_turns, 0) as unanswered_turns,
    response_seconds_sum,
    response_seconds_p50,
    response_seconds_p90,
    coalesce(unique_customers, 0) as unique_customers,
    coalesce(contacted_customers, 0) as contacted_customers,
    cast(duration_seconds_sum / ended_episodes as decimal(18, 6)) as avg_duration_seconds,
    coalesce(ended_episodes, 0) as ended_episodes,
    duration_seconds_sum,
    coalesce(messages, 0) as messages,
    coalesce(customer_messages, 0) as customer_messages,
    coalesce(agent_messages, 0) as agent_messages,
    coalesce(automation_messages, 0) as automation_messages,
    coalesce(unknown_messages, 0) as unknown_messages
from ranges
cross join (select distinct scope from scopes) as all_scopes
cross join covered
left join message_figures using (period, is_previous, scope)
left join conversation_figures using (period, is_previous, scope)
left join new_figures using (period, is_previous, scope)
left join answer_figures using (period, is_previous, scope)
left join question_figures using (period, is_previous, scope)
left join ending_figures using (period, is_previous, scope);

create table mart_summary_metrics as
select
    this.period,
    'default' as workspace,
    this.scope as channel,
    this.from_date,
    this.to_date,
    before.from_date as previous_from_date,
    before.to_date as previous_to_date,
    columns(this.* exclude (period, is_previous, scope, is_covered, from_date, to_date)),
    before.is_covered as previous_is_covered,
    columns(before.* exclude (period, is_previous, scope, is_covered, from_date, to_date)) as 'previous_\0'
from figures as this
inner join figures as before
    on this.period = before.period and this.scope = before.scope and before.is_previous
where not this.is_previous;
