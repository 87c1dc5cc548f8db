-- Per agent: what they wrote, answered and closed in the range, on both clocks. What the team did without the source
-- naming anybody stands in a row without a name, so that the rows add up to the headline figures.
with ranges as (
    select * from (@ranges) as both_ranges
),

chosen_range as (
    select *
    from ranges
    where range_name = 'chosen'
),

chosen_channels as (
    select *
    from facts.dim_channels
    where {{channel}}
),

written as (
    select
        messages.agent_id,
        count(*) as replies,
        count(distinct messages.conversation_id) as conversations_handled
    from facts.fct_messages as messages
    inner join chosen_range
        on
            messages.workspace = chosen_range.workspace
            and messages.sent_at >= chosen_range.from_at
            and messages.sent_at < chosen_range.until_at
    inner join chosen_channels
        on messages.workspace = chosen_channels.workspace and messages.channel = chosen_channels.channel
    where messages.is_counted and messages.author_type = 'agent'
    group by messages.agent_id
),

turns as (
    select
        turns.agent_id,
        turns.response_seconds,
        turns.business_response_seconds,
        row_number() over (partition by turns.agent_id order by turns.response_seconds) as place,
        count(*) over (partition by turns.agent_id) as places
    from facts.fct_turns as turns
    inner join chosen_range
        on
            turns.workspace = chosen_range.workspace
            and turns.answered_at >= chosen_range.from_at
            and turns.answered_at < chosen_range.until_at
    inner join chosen_channels
        on turns.workspace = chosen_channels.workspace and turns.channel = chosen_channels.channel
),

answered as (
    select
        agent_id,
        count(*) as answered_turns,
        sum(response_seconds) as response_seconds_sum,
        min(case when place * 2 >= places then response_seconds end) as response_seconds_p50,
        count(case when business_response_seconds > 0 then 1 end) as business_answered_turns,
        sum(business_response_seconds) as business_response_seconds_sum,
        count(case when business_response_seconds = 0 then 1 end) as offhours_answered_turns
    from turns
    group by agent_id
),

closed as (
    select
        status.actor_id as agent_id,
        count(distinct status.conversation_id) as conversations_closed
    from facts.fct_conversation_status as status
    inner join facts.fct_conversations as conversations
        on status.conversation_id = conversations.conversation_id
    inner join chosen_channels
        on conversations.workspace = chosen_channels.workspace and conversations.channel = chosen_channels.channel
    inner join chosen_range
        on
            conversations.workspace = chosen_range.workspace
            and status.from_at >= chosen_range.from_at
            and status.from_at < chosen_range.until_at
    where status.status = 'closed' and status.actor_type = 'agent'
    group by status.actor_id
),

-- a null never equals another: one key for all that is not named
agents as (
    select agent_id, coalesce(agent_id, '') as agent_key from written
    union
    select agent_id, coalesce(agent_id, '') as agent_key from answered
    union
    select agent_id, coalesce(agent_id, '') as agent_key from closed
)

select
    dim_agents.agent_name,
    coalesce(written.replies, 0) as replies,
    coalesce(written.conversations_handled, 0) as conversations_handled,
    coalesce(closed.conversations_closed, 0) as conversations_closed,
    coalesce(answered.answered_turns, 0) as answered_turns,
    cast(answered.response_seconds_sum / nullif(answered.answered_turns, 0) as decimal(18, 6)) as avg_response_seconds,
    answered.response_seconds_p50,
    cast(answered.business_response_seconds_sum / nullif(answered.business_answered_turns, 0) as decimal(18, 6))
        as business_response_seconds_avg,
    coalesce(answered.offhours_answered_turns, 0) as offhours_answered_turns
from agents
left join facts.dim_agents
    on agents.agent_id = dim_agents.agent_id
left join written
    on agents.agent_key = coalesce(written.agent_id, '')
left join answered
    on agents.agent_key = coalesce(answered.agent_id, '')
left join closed
    on agents.agent_key = coalesce(closed.agent_id, '')
where
    1 = 1
    [[and agents.agent_id in (select agent_id from facts.dim_agents where {{agent}})]]
order by coalesce(written.replies, 0) desc, dim_agents.agent_name nulls last
