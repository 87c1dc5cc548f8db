-- Every conversation that the filters mean and that holds a customer's message by the end of a range, as it stood at
-- that end; one row for each range and conversation. is_in_range: it has a message in the range. It stands in a query
-- that has ranges, chosen_channels, carried_tags and messages.
with active_conversations as (
    select
        range_name,
        conversation_id,
        count(case when author_type = 'customer' then 1 end) as customer_messages,
        count(case when author_type = 'agent' then 1 end) as agent_messages,
        max(sent_at) as last_message_at
    from messages
    where conversation_id is not null
    group by range_name, conversation_id
),

-- all conversations the filters mean that hold a customer's message by the end of the range
conversations as (
    select
        ranges.range_name,
        ranges.from_at,
        ranges.until_at,
        conversations.conversation_id,
        conversations.first_customer_message_at,
        conversations.is_business_started
    from facts.fct_conversations as conversations
    inner join ranges
        on conversations.workspace = ranges.workspace and conversations.first_customer_message_at < ranges.until_at
    inner join chosen_channels
        on conversations.workspace = chosen_channels.workspace and conversations.channel = chosen_channels.channel
    where
        1 = 1
        [[and (ranges.range_name, conversations.conversation_id) in (
            select range_name, conversation_id
            from carried_tags
            where tag in (select tag from facts.fct_tags where {{tag}})
        )]]
        [[and (ranges.range_name, conversations.conversation_id) in (
            select range_name, conversation_id
            from messages
            where agent_id in (select agent_id from facts.dim_agents where {{agent}})
        )]]
),

-- how each stood at the end of the range: status, wait and unread are stretches of time
unanswered_then as (
    select
        conversations.range_name,
        turns.conversation_id,
        min(turns.started_at) as waiting_since,
        min(turns.wrote_after_close_at) as wrote_after_close_at
    from conversations
    inner join facts.fct_turns as turns
        on
            conversations.conversation_id = turns.conversation_id
            and turns.started_at < conversations.until_at
            and (turns.ended_at is null or turns.ended_at >= conversations.until_at)
    group by conversations.range_name, turns.conversation_id
),

turns_then as (
    select
        conversations.range_name,
        turns.conversation_id,
        turns.answered_at is null or turns.answered_at >= conversations.until_at as is_unanswered,
        row_number() over (
            partition by conversations.range_name, turns.conversation_id order by turns.turn_number desc
        ) as newest_first
    from conversations
    inner join facts.fct_turns as turns
        on conversations.conversation_id = turns.conversation_id and turns.started_at < conversations.until_at
)

select
    conversations.range_name,
    conversations.from_at,
    conversations.until_at,
    conversations.conversation_id,
    active_conversations.last_message_at,
    coalesce(active_conversations.customer_messages, 0) as customer_messages,
    coalesce(active_conversations.agent_messages, 0) as agent_messages,
    active_conversations.conversation_id is not null as is_in_range,
    conversations.first_customer_message_at >= conversations.from_at as is_new,
    conversations.is_business_started,
    status.status,
    status.closed_by,
    unanswered_then.waiting_since is not null as is_unanswered,
    coalesce(unanswered_then.wrote_after_close_at < conversations.until_at, false) as has_written_after_close,
    coalesce(turns_then.is_unanswered, false) as is_left_unanswered,
    spans.conversation_id is not null as is_unread,
    extract(epoch from conversations.until_at - unanswered_then.waiting_since) as wait_seconds
from conversations
inner join facts.fct_conversation_status as status
    on
        conversations.conversation_id = status.conversation_id
        and status.from_at < conversations.until_at
        and (status.to_at is null or status.to_at >= conversations.until_at)
left join active_conversations
    on
        conversations.range_name = active_conversations.range_name
        and conversations.conversation_id = active_conversations.conversation_id
left join unanswered_then
    on
        conversations.range_name = unanswered_then.range_name
        and conversations.conversation_id = unanswered_then.conversation_id
left join turns_then
    on
        conversations.range_name = turns_then.range_name
        and conversations.conversation_id = turns_then.conversation_id
        and turns_then.newest_first = 1
left join facts.fct_unread_spans as spans
    on
        conversations.conversation_id = spans.conversation_id
        and spans.from_at < conversations.until_at
        and (spans.to_at is null or spans.to_at >= conversations.until_at)
