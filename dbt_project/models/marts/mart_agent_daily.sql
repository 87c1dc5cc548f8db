{{ config(meta={'stage': 'days', 'touched': {'days.days': ['workspace', 'local_date']}}) }}

-- What each agent did on a local day.
with messages as (
    select * from {{ ref('fct_messages') }}
),

turns as (
    select * from {{ ref('fct_turns') }}
),

status as (
    select * from {{ ref('fct_conversation_status') }}
),

conversations as (
    select * from {{ ref('fct_conversations') }}
),

workspaces as (
    select * from {{ ref('dim_workspaces') }}
),

written as (
    select
        sent_local_date as local_date,
        agent_id,
        workspace,
        channel,
        count(*) as replies,
        count(distinct conversation_id) as conversations_handled
    from messages
    where agent_id is not null and is_counted
    group by sent_local_date, agent_id, workspace, channel
),

answered as (
    select
        answered_local_date as local_date,
        agent_id,
        workspace,
        channel,
        count(*) as answered_turns,
        sum(response_seconds) as response_seconds_sum,
        percentile_disc(0.5) within group (order by response_seconds) as response_seconds_p50,
        sum(business_response_seconds) as business_response_seconds_sum,
        count(case when business_response_seconds > 0 then 1 end) as business_answered_turns,
        count(case when business_response_seconds = 0 then 1 end) as offhours_answered_turns
    from turns
    where agent_id is not null
    group by answered_local_date, agent_id, workspace, channel
),

closed as (
    select
        cast({{ local_timestamp('status.from_at', 'workspaces.timezone') }} as date) as local_date,
        status.actor_id as agent_id,
        conversations.workspace,
        conversations.channel,
        count(*) as conversations_closed
    from status
    inner join conversations
        on status.conversation_id = conversations.conversation_id
    inner join workspaces
        on conversations.workspace = workspaces.workspace
    where status.status = 'closed' and status.closed_by = 'person' and status.actor_id is not null
    group by
        cast({{ local_timestamp('status.from_at', 'workspaces.timezone') }} as date),
        status.actor_id,
        conversations.workspace,
        conversations.channel
),

agent_days as (
    select local_date, agent_id, workspace, channel from written
    union
    select local_date, agent_id, workspace, channel from answered
    union
    select local_date, agent_id, workspace, channel from closed
)

select
    agent_days.local_date,
    agent_days.agent_id,
    agent_days.workspace,
    agent_days.channel,
    coalesce(written.replies, 0) as replies,
    coalesce(written.conversations_handled, 0) as conversations_handled,
    coalesce(closed.conversations_closed, 0) as conversations_closed,
    coalesce(answered.answered_turns, 0) as answered_turns,
    cast(answered.response_seconds_sum as decimal(38, 6)) as response_seconds_sum,
    answered.response_seconds_p50,
    cast(answered.business_response_seconds_sum as decimal(38, 6)) as business_response_seconds_sum,
    coalesce(answered.business_answered_turns, 0) as business_answered_turns,
    coalesce(answered.offhours_answered_turns, 0) as offhours_answered_turns
from agent_days
left join written
    on
        agent_days.local_date = written.local_date
        and agent_days.agent_id = written.agent_id
        and agent_days.workspace = written.workspace
        and agent_days.channel = written.channel
left join answered
    on
        agent_days.local_date = answered.local_date
        and agent_days.agent_id = answered.agent_id
        and agent_days.workspace = answered.workspace
        and agent_days.channel = answered.channel
left join closed
    on
        agent_days.local_date = closed.local_date
        and agent_days.agent_id = closed.agent_id
        and agent_days.workspace = closed.workspace
        and agent_days.channel = closed.channel
