{{ config(meta={'stage': 'people', 'touched': {'people.conversations': ['conversation_id']}}) }}

-- Customers' turns, each with its answer and how long it took on the wall clock and on the business clock.
with turns as (
    select * from {{ ref('int_turns') }}
),

business_seconds as (
    select * from {{ ref('int_turn_business_seconds') }}
),

conversations as (
    select * from {{ ref('int_conversations') }}
),

agents as (
    select * from {{ ref('int_agents') }}
),

local_quarters as (
    select * from {{ ref('int_local_quarters') }}
),

with_keys as (
    select
        turns.*,
        conversations.workspace,
        conversations.channel,
        conversations.source,
        -- one agent has one name with a number's messages, and one in each account of an inbox
        case when conversations.source = 'whatsapp' then '' else conversations.account end as agent_account,
        -- whoever wrote under a name that tells no agent stays unknown
        case when not turns.is_answered_by_unknown then turns.agent_source_id end as known_agent_source_id,
        {{ quarter_hour('turns.started_at') }} as started_quarter_hour,
        {{ quarter_hour('turns.answered_at') }} as answered_quarter_hour
    from turns
    inner join conversations
        on turns.conversation_id = conversations.conversation_id
)

select
    with_keys.conversation_id || '-' || cast(with_keys.turn_number as string) as turn_id,
    with_keys.conversation_id,
    with_keys.workspace,
    with_keys.channel,
    with_keys.turn_number,
    with_keys.started_at,
    started_quarters.local_date as started_local_date,
    started_quarters.local_hour as started_local_hour,
    with_keys.outcome,
    with_keys.answered_at,
    answered_quarters.local_date as answered_local_date,
    with_keys.ended_at,
    {{ seconds_between('with_keys.started_at', 'with_keys.answered_at') }} as response_seconds,
    business_seconds.business_response_seconds,
    with_keys.first_reply_at,
    with_keys.wrote_after_close_at,
    with_keys.turn_number = 1 as is_first,
    agents.agent_id,
    with_keys.is_answered_by_unknown
from with_keys
-- turns begin and are answered by messages, so their quarters are known
left join local_quarters as started_quarters
    on
        with_keys.workspace = started_quarters.workspace
        and with_keys.started_quarter_hour = started_quarters.quarter_hour
left join local_quarters as answered_quarters
    on
        with_keys.workspace = answered_quarters.workspace
        and with_keys.answered_quarter_hour = answered_quarters.quarter_hour
left join business_seconds
    on with_keys.conversation_id = business_seconds.conversation_id and with_keys.turn_number = business_seconds.turn_number
left join agents
    on
        with_keys.workspace = agents.workspace
        and with_keys.source = agents.source
        and with_keys.known_agent_source_id = agents.agent_source_id
        and with_keys.agent_account = coalesce(agents.account, '')
