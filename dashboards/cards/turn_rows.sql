-- The turns behind the response time and the share of answers in the chosen range: those answered in it, and those
-- begun in it and not answered by its end, which come first; then the slowest. is_begun: it began in the range.
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
    select * from (@chosen_conversations) as then_conversations
),

turns as (
    select
        conversations.customer_label,
        conversations.channel_name,
        conversations.conversation_url,
        turns.started_at,
        turns.started_local_hour as hour_of_day,
        turns.answered_at,
        turns.response_seconds,
        turns.business_response_seconds,
        turns.agent_id,
        true as is_answered,
        turns.started_at >= conversations.from_at as is_begun
    from conversations
    inner join facts.fct_turns as turns
        on
            conversations.conversation_id = turns.conversation_id
            and turns.answered_at >= conversations.from_at
            and turns.answered_at < conversations.until_at
    where
        1 = 1
        [[and turns.agent_id in (select agent_id from facts.dim_agents where {{agent}})]]

    union all

    -- an answer after the range was not known at its end
    select
        conversations.customer_label,
        conversations.channel_name,
        conversations.conversation_url,
        turns.started_at,
        turns.started_local_hour as hour_of_day,
        null as answered_at,
        null as response_seconds,
        null as business_response_seconds,
        null as agent_id,
        false as is_answered,
        true as is_begun
    from conversations
    inner join facts.fct_turns as turns
        on
            conversations.conversation_id = turns.conversation_id
            and turns.started_at >= conversations.from_at
            and turns.started_at < conversations.until_at
            and (turns.answered_at is null or turns.answered_at >= conversations.until_at)
)

select
    turns.customer_label,
    turns.channel_name,
    turns.started_at,
    turns.hour_of_day,
    turns.answered_at,
    turns.response_seconds,
    turns.business_response_seconds,
    agents.agent_name,
    turns.is_answered,
    turns.is_begun,
    turns.conversation_url
from turns
left join (@agent_names) as agents
    on turns.agent_id = agents.agent_id
order by
    turns.is_answered,
    coalesce(turns.response_seconds, 0) desc,
    turns.started_at,
    turns.customer_label,
    turns.channel_name,
    coalesce(turns.conversation_url, '')
