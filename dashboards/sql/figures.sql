-- The headline figures of metrics.md §4 for any range of local dates, with filters; one row.
-- Parameters: workspace, from_date, to_date (inclusive), channel, tag, agent (null: no filter).
with chosen_range as (
    select
        workspace,
        timezone(timezone, cast(cast($from_date as date) as timestamp)) as from_at,
        -- a range's state is as of the earlier of its end and now
        case
            when timezone(timezone, cast(cast($to_date as date) as timestamp) + interval '1 day') < as_of
                then timezone(timezone, cast(cast($to_date as date) as timestamp) + interval '1 day')
            else as_of
        end as until_at
    from facts.dim_workspaces
    where workspace = $workspace
),

-- who a filter by name or id means
chosen_agents as (
    select agent_id
    from facts.dim_agents
    where workspace = $workspace and (agent_id = $agent or agent_name = $agent)
),

tag_stretches as (
    select
        conversation_id,
        tag,
        action,
        occurred_at as from_at,
        lead(occurred_at) over (partition by conversation_id, tag order by occurred_at, action desc) as to_at
    from facts.fct_tags
    where workspace = $workspace
),

tagged_conversations as (
    select tag_stretches.conversation_id
    from tag_stretches
    cross join chosen_range
    where
        tag_stretches.tag = $tag
        and tag_stretches.action = 'applied'
        and tag_stretches.from_at < chosen_range.until_at
        and (tag_stretches.to_at is null or tag_stretches.to_at > chosen_range.from_at)
    group by tag_stretches.conversation_id
),

range_messages as (
    select messages.*
    from facts.fct_messages as messages
    cross join chosen_range
    where
        messages.workspace = $workspace
        and messages.is_counted
        and messages.sent_at >= chosen_range.from_at
        and messages.sent_at < chosen_range.until_at
        and ($channel is null or messages.channel = $channel)
        and ($tag is null or messages.conversation_id in (select conversation_id from tagged_conversations))
),

agent_conversations as (
    select conversation_id
    from range_messages
    where agent_id in (select agent_id from chosen_agents)
    group by conversation_id
),

-- of an agent's conversations every message counts, of the team's own messages the agent's
messages as (
    select *
    from range_messages
    where
        $agent is null
        or (
            conversation_id in (select conversation_id from agent_conversations)
            and (author_type <> 'agent' or agent_id in (select agent_id from chosen_agents))
        )
),

-- all conversations the filters mean that hold a customer's message by the end of the range
conversations as (
    select conversations.*
    from facts.fct_conversations as conversations
    cross join chosen_range
    where
        conversations.workspace = $workspace
        and conversations.first_customer_message_at < chosen_range.until_at
        and ($channel is null or conversations.channel = $channel)
        and ($tag is null or conversations.conversation_id in (select conversation_id from tagged_conversations))
        and ($agent is null or conversations.conversation_id in (select conversation_id from agent_conversations))
),

-- how each stood at the end of the range: status, wait and unread are stretches of time
status_then as (
    select
        status.conversation_id,
        status.status,
        status.closed_by
    from facts.fct_conversation_status as status
    cross join chosen_range
    where status.from_at < chosen_range.until_at and (status.to_at is null or status.to_at >= chosen_range.until_at)
),

unanswered_then as (
    select
        turns.conversation_id,
        min(turns.started_at) as waiting_since,
        min(turns.wrote_after_close_at) as wrote_after_close_at
    from facts.fct_turns as turns
    cross join chosen_range
    where turns.started_at < chosen_range.until_at and (turns.ended_at is null or turns.ended_at >= chosen_range.until_at)
    group by turns.conversation_id
),

last_turn_numbers as (
    select
        turns.conversation_id,
        max(turns.turn_number) as turn_number
    from facts.fct_turns as turns
    cross join chosen_range
    where turns.started_at < chosen_range.until_at
    group by turns.conversation_id
),

left_unanswered_then as (
    select turns.conversation_id
    from facts.fct_turns as turns
    inner join last_turn_numbers
        on turns.conversation_id = last_turn_numbers.conversation_id and turns.turn_number = last_turn_numbers.turn_number
    cross join chosen_range
    where turns.answered_at is null or turns.answered_at >= chosen_range.until_at
),

unread_then as (
    select spans.conversation_id
    from facts.fct_unread_spans as spans
    cross join chosen_range
    where spans.from_at < chosen_range.until_at and (spans.to_at is null or spans.to_at >= chosen_range.until_at)
),

conversations_then as (
    select
        conversations.conversation_id,
        conversations.conversation_id in (select conversation_id from messages) as is_in_range,
        conversations.first_customer_message_at >= chosen_range.from_at as is_new,
        conversations.is_business_started,
        status_then.status,
        status_then.closed_by,
        unanswered_then.waiting_since,
        coalesce(unanswered_then.wrote_after_close_at < chosen_range.until_at, false) as has_written_after_close,
        left_unanswered_then.conversation_id is not null as is_left_unanswered,
        unread_then.conversation_id is not null as is_unread,
        extract(epoch from chosen_range.until_at - unanswered_then.waiting_since) as wait_seconds
    from conversations
    cross join chosen_range
    inner join status_then
        on conversations.conversation_id = status_then.conversation_id
    left join unanswered_then
        on conversations.conversation_id = unanswered_then.conversation_id
    left join left_unanswered_then
        on conversations.conversation_id = left_unanswered_then.conversation_id
    left join unread_then
        on conversations.conversation_id = unread_then.conversation_id
),

conversation_figures as (
    select
        count(case when is_in_range then 1 end) as total_conversations,
        count(case when is_new then 1 end) as new_conversations,
        count(case when is_in_range and status = 'open' then 1 end) as open_conversations,
        count(case when is_in_range and status = 'closed' then 1 end) as closed_conversations,
        count(case when is_in_range and status = 'closed' and closed_by = 'person' then 1 end) as closed_by_person,
        count(case when is_in_range and status = 'closed' and closed_by = 'automation' then 1 end) as closed_by_automation,
        count(case when is_in_range and status = 'closed' and closed_by = 'silence' then 1 end) as closed_by_silence,
        count(case when is_in_range and status = 'closed' and closed_by = 'unknown' then 1 end) as closed_by_unknown,
        count(case when is_in_range and status = 'closed' and is_left_unanswered then 1 end) as ended_unanswered,
        count(case when is_in_range and is_unread then 1 end) as unread_conversations,
        count(case when is_in_range and status = 'open' and waiting_since is not null then 1 end) as waiting_conversations,
        max(case when is_in_range and status = 'open' then wait_seconds end) as oldest_wait_seconds,
        count(case when is_new and is_business_started then 1 end) as business_started,
        count(case when status = 'open' then 1 end) as open_at_end,
        count(case when status = 'open' and is_unread then 1 end) as unread_at_end,
        count(case when status = 'open' and waiting_since is not null then 1 end) as waiting_at_end,
        count(case when status = 'closed' and has_written_after_close then 1 end) as waiting_after_close
    from conversations_then
),

message_figures as (
    select
        count(*) as messages,
        count(case when author_type = 'customer' then 1 end) as customer_messages,
        count(case when author_type = 'agent' then 1 end) as agent_messages,
        count(case when author_type = 'automation' then 1 end) as automation_messages,
        count(case when author_type = 'unknown' then 1 end) as unknown_messages,
        count(distinct case when author_type = 'customer' then customer_id end) as unique_customers,
        count(distinct case when author_type <> 'customer' then customer_id end) as contacted_customers
    from messages
),

broadcast_only as (
    select count(*) as broadcast_only_conversations
    from (
        select conversation_id
        from messages
        where conversation_id is not null
        group by conversation_id
        having count(*) = count(case when author_type = 'automation' then 1 end)
    ) as only_automation
),

answered_turns as (
    select
        turns.response_seconds,
        turns.business_response_seconds,
        turns.is_answered_by_unknown
    from facts.fct_turns as turns
    cross join chosen_range
    where
        turns.answered_at >= chosen_range.from_at
        and turns.answered_at < chosen_range.until_at
        and turns.conversation_id in (select conversation_id from conversations)
        and ($agent is null or turns.agent_id in (select agent_id from chosen_agents))
),

response_figures as (
    select
        count(*) as answered_turns,
        sum(response_seconds) as response_seconds_sum,
        percentile_disc(0.5) within group (order by response_seconds) as response_seconds_p50,
        percentile_disc(0.9) within group (order by response_seconds) as response_seconds_p90,
        count(case when business_response_seconds > 0 then 1 end) as business_answered_turns,
        sum(business_response_seconds) as business_response_seconds_sum,
        count(case when business_response_seconds = 0 then 1 end) as offhours_answered_turns,
        count(case when is_answered_by_unknown then 1 end) as turns_answered_by_unknown
    from answered_turns
),

unanswered_figures as (
    select count(*) as unanswered_turns
    from facts.fct_turns as turns
    cross join chosen_range
    where
        turns.started_at >= chosen_range.from_at
        and turns.started_at < chosen_range.until_at
        and (turns.answered_at is null or turns.answered_at >= chosen_range.until_at)
        and turns.conversation_id in (select conversation_id from conversations)
),

duration_figures as (
    select
        count(*) as ended_episodes,
        sum(episodes.duration_seconds) as duration_seconds_sum
    from facts.fct_episodes as episodes
    cross join chosen_range
    where
        episodes.closed_at >= chosen_range.from_at
        and episodes.closed_at < chosen_range.until_at
        and episodes.duration_seconds is not null
        and episodes.conversation_id in (select conversation_id from conversations)
),

basis as (
    select case when min(unread_basis) = max(unread_basis) then min(unread_basis) else 'agent_activity' end as unread_basis
    from facts.dim_channels
    where workspace = $workspace and ($channel is null or channel = $channel)
)

select
    conversation_figures.total_conversations,
    conversation_figures.new_conversations,
    conversation_figures.open_conversations,
    conversation_figures.closed_conversations,
    conversation_figures.closed_by_person,
    conversation_figures.closed_by_automation,
    conversation_figures.closed_by_silence,
    conversation_figures.closed_by_unknown,
    conversation_figures.ended_unanswered,
    conversation_figures.unread_conversations,
    basis.unread_basis,
    conversation_figures.waiting_conversations,
    cast(conversation_figures.oldest_wait_seconds as decimal(18, 6)) as oldest_wait_seconds,
    cast(response_figures.response_seconds_sum / nullif(response_figures.answered_turns, 0) as decimal(18, 6))
        as avg_response_seconds,
    response_figures.response_seconds_p50,
    response_figures.response_seconds_p90,
    response_figures.answered_turns,
    unanswered_figures.unanswered_turns,
    cast(response_figures.business_response_seconds_sum / nullif(response_figures.business_answered_turns, 0) as decimal(18, 6))
        as business_response_seconds_avg,
    response_figures.business_answered_turns,
    response_figures.offhours_answered_turns,
    response_figures.turns_answered_by_unknown,
    message_figures.unique_customers,
    message_figures.contacted_customers,
    cast(duration_figures.duration_seconds_sum / nullif(duration_figures.ended_episodes, 0) as decimal(18, 6))
        as avg_duration_seconds,
    duration_figures.ended_episodes,
    message_figures.messages,
    message_figures.customer_messages,
    message_figures.agent_messages,
    message_figures.automation_messages,
    message_figures.unknown_messages,
    broadcast_only.broadcast_only_conversations,
    conversation_figures.business_started,
    conversation_figures.open_at_end,
    conversation_figures.unread_at_end,
    conversation_figures.waiting_at_end,
    conversation_figures.waiting_after_close
from conversation_figures
cross join message_figures
cross join broadcast_only
cross join response_figures
cross join unanswered_figures
cross join duration_figures
cross join basis
