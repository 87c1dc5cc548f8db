-- The headline figures of the metrics contract for any range of local dates, with filters, beside those of the range
-- before it; one row for each of the two.
with ranges as (
    select * from (@ranges) as both_ranges
),

chosen_channels as (
    select *
    from facts.dim_channels
    where {{channel}}
),

carried_tags as (
    select * from (@carried_tags) as tags
),

messages as (
    select * from (@range_messages) as counted_messages
),

conversations as (
    select * from (@conversations_then) as then_conversations
),

conversation_figures as (
    select
        range_name,
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
        count(case when is_in_range and status = 'open' and is_unanswered then 1 end) as waiting_conversations,
        max(case when is_in_range and status = 'open' then wait_seconds end) as oldest_wait_seconds,
        count(case when is_new and is_business_started then 1 end) as business_started,
        count(case when status = 'open' then 1 end) as open_at_end,
        count(case when status = 'open' and is_unread then 1 end) as unread_at_end,
        count(case when status = 'open' and is_unanswered then 1 end) as waiting_at_end,
        count(case when status = 'closed' and has_written_after_close then 1 end) as waiting_after_close
    from conversations
    group by range_name
),

message_figures as (
    select
        range_name,
        count(*) as messages,
        count(case when author_type = 'customer' then 1 end) as customer_messages,
        count(case when author_type = 'agent' then 1 end) as agent_messages,
        count(case when author_type = 'automation' then 1 end) as automation_messages,
        count(case when author_type = 'unknown' then 1 end) as unknown_messages,
        count(distinct case when author_type = 'customer' then customer_id end) as unique_customers,
        count(distinct case when author_type <> 'customer' then customer_id end) as contacted_customers
    from messages
    group by range_name
),

broadcast_only as (
    select range_name, count(*) as broadcast_only_conversations
    from (
        select range_name, conversation_id
        from messages
        where conversation_id is not null
        group by range_name, conversation_id
        having count(*) = count(case when author_type = 'automation' then 1 end)
    ) as only_automation
    group by range_name
),

answered_turns as (
    select
        conversations.range_name,
        turns.response_seconds,
        turns.business_response_seconds,
        turns.is_answered_by_unknown,
        row_number() over (partition by conversations.range_name order by turns.response_seconds) as place,
        count(*) over (partition by conversations.range_name) as places
    from conversations
    inner join facts.fct_turns as turns
        on
            conversations.conversation_id = turns.conversation_id
            and turns.answered_at >= conversations.from_at
            and turns.answered_at < conversations.until_at
    where
        1 = 1
        [[and turns.agent_id in (select agent_id from facts.dim_agents where {{agent}})]]
),

response_figures as (
    select
        range_name,
        count(*) as answered_turns,
        sum(response_seconds) as response_seconds_sum,
        -- the smallest that so large a share of them do not exceed
        min(case when place * 2 >= places then response_seconds end) as response_seconds_p50,
        min(case when place * 10 >= places * 9 then response_seconds end) as response_seconds_p90,
        count(case when business_response_seconds > 0 then 1 end) as business_answered_turns,
        sum(business_response_seconds) as business_response_seconds_sum,
        count(case when business_response_seconds = 0 then 1 end) as offhours_answered_turns,
        count(case when is_answered_by_unknown then 1 end) as turns_answered_by_unknown
    from answered_turns
    group by range_name
),

unanswered_figures as (
    select conversations.range_name, count(*) as unanswered_turns
    from conversations
    inner join facts.fct_turns as turns
        on
            conversations.conversation_id = turns.conversation_id
            and turns.started_at >= conversations.from_at
            and turns.started_at < conversations.until_at
            and (turns.answered_at is null or turns.answered_at >= conversations.until_at)
    group by conversations.range_name
),

duration_figures as (
    select
        conversations.range_name,
        count(*) as ended_episodes,
        sum(episodes.duration_seconds) as duration_seconds_sum
    from conversations
    inner join facts.fct_episodes as episodes
        on
            conversations.conversation_id = episodes.conversation_id
            and episodes.closed_at >= conversations.from_at
            and episodes.closed_at < conversations.until_at
    where episodes.duration_seconds is not null
    group by conversations.range_name
),

-- the range before is compared only where every chosen channel's source covered all of it
coverage as (
    select
        ranges.range_name,
        max(case when chosen_channels.covered_from > ranges.from_at then 1 else 0 end) = 0 as is_covered
    from ranges
    inner join chosen_channels
        on ranges.workspace = chosen_channels.workspace
    group by ranges.range_name
),

basis as (
    select
        case when min(unread_basis) = max(unread_basis) then min(unread_basis) else 'agent_activity' end as unread_basis,
        min(case when is_closed_by_silence then 1 else 0 end) = 1 as is_closed_by_silence
    from chosen_channels
),

range_names as (
    select 'chosen' as range_name

    union all

    select 'previous' as range_name
)

select
    range_names.range_name,
    coalesce(coverage.is_covered, false) as is_covered,
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
    basis.unread_basis,
    coalesce(basis.is_closed_by_silence, false) as is_closed_by_silence,
    coalesce(conversation_figures.waiting_conversations, 0) as waiting_conversations,
    cast(conversation_figures.oldest_wait_seconds as decimal(18, 6)) as oldest_wait_seconds,
    cast(response_figures.response_seconds_sum / nullif(response_figures.answered_turns, 0) as decimal(18, 6))
        as avg_response_seconds,
    response_figures.response_seconds_p50,
    response_figures.response_seconds_p90,
    coalesce(response_figures.answered_turns, 0) as answered_turns,
    coalesce(unanswered_figures.unanswered_turns, 0) as unanswered_turns,
    cast(
        response_figures.business_response_seconds_sum / nullif(response_figures.business_answered_turns, 0)
        as decimal(18, 6)
    ) as business_response_seconds_avg,
    coalesce(response_figures.business_answered_turns, 0) as business_answered_turns,
    coalesce(response_figures.offhours_answered_turns, 0) as offhours_answered_turns,
    coalesce(response_figures.turns_answered_by_unknown, 0) as turns_answered_by_unknown,
    cast(
        1.0 * coalesce(response_figures.answered_turns, 0)
        / nullif(coalesce(response_figures.answered_turns, 0) + coalesce(unanswered_figures.unanswered_turns, 0), 0)
        as decimal(18, 6)
    ) as answer_rate,
    coalesce(message_figures.unique_customers, 0) as unique_customers,
    coalesce(message_figures.contacted_customers, 0) as contacted_customers,
    cast(duration_figures.duration_seconds_sum / nullif(duration_figures.ended_episodes, 0) as decimal(18, 6))
        as avg_duration_seconds,
    coalesce(duration_figures.ended_episodes, 0) as ended_episodes,
    coalesce(message_figures.messages, 0) as messages,
    cast(
        1.0 * message_figures.messages / nullif(conversation_figures.total_conversations, 0) as decimal(18, 6)
    ) as messages_per_conversation,
    coalesce(message_figures.customer_messages, 0) as customer_messages,
    coalesce(message_figures.agent_messages, 0) as agent_messages,
    coalesce(message_figures.automation_messages, 0) as automation_messages,
    coalesce(message_figures.unknown_messages, 0) as unknown_messages,
    coalesce(broadcast_only.broadcast_only_conversations, 0) as broadcast_only_conversations,
    coalesce(conversation_figures.business_started, 0) as business_started,
    coalesce(conversation_figures.open_at_end, 0) as open_at_end,
    coalesce(conversation_figures.unread_at_end, 0) as unread_at_end,
    coalesce(conversation_figures.waiting_at_end, 0) as waiting_at_end,
    coalesce(conversation_figures.waiting_after_close, 0) as waiting_after_close
from range_names
cross join basis
left join coverage
    on range_names.range_name = coverage.range_name
left join conversation_figures
    on range_names.range_name = conversation_figures.range_name
left join message_figures
    on range_names.range_name = message_figures.range_name
left join broadcast_only
    on range_names.range_name = broadcast_only.range_name
left join response_figures
    on range_names.range_name = response_figures.range_name
left join unanswered_figures
    on range_names.range_name = unanswered_figures.range_name
left join duration_figures
    on range_names.range_name = duration_figures.range_name
order by range_names.range_name
