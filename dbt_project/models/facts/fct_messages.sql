{{ config(meta={'stage': 'people', 'touched': {'people.messages': ['message_id']}}) }}

-- One row per message of any source, up to now.
with messages as (
    select * from {{ ref('int_messages') }}
),

conversation_messages as (
    select message_id, conversation_id, customer_id, channel, message_order
    from {{ ref('int_conversation_messages') }}
),

local_quarters as (
    select * from {{ ref('int_local_quarters') }}
),

agents as (
    select * from {{ ref('int_agents') }}
),

-- one agent has one name with a number's messages, and one in each account of an inbox
with_keys as (
    select
        messages.*,
        conversation_messages.conversation_id,
        conversation_messages.customer_id,
        conversation_messages.channel,
        conversation_messages.message_order,
        case when messages.author_type = 'agent' then messages.author_source_id end as agent_source_id,
        case when messages.source = 'whatsapp' then '' else messages.account end as agent_account,
        {{ quarter_hour('messages.sent_at') }} as quarter_hour
    from messages
    inner join conversation_messages
        on messages.message_id = conversation_messages.message_id
)

select
    with_keys.message_id,
    with_keys.conversation_id,
    with_keys.workspace,
    with_keys.source,
    with_keys.channel,
    with_keys.sent_at,
    local_quarters.local_date as sent_local_date,
    local_quarters.local_hour as sent_local_hour,
    case when with_keys.author_type = 'customer' then 'inbound' else 'outbound' end as direction,
    with_keys.author_type,
    with_keys.is_human,
    agents.agent_id,
    with_keys.customer_id,
    with_keys.message_type,
    with_keys.text_length,
    with_keys.delivery_status,
    with_keys.delivered_at,
    with_keys.read_at,
    with_keys.failed_at,
    case when with_keys.sender_tag like 'campaign:%' or with_keys.sender_tag like 'template:%' then with_keys.sender_tag end
        as campaign,
    with_keys.pricing_category,
    with_keys.pricing_type,
    with_keys.is_billable,
    with_keys.edited_at,
    with_keys.revoked_at,
    with_keys.is_group,
    with_keys.is_missing_in_inbox,
    with_keys.is_counted,
    cast(with_keys.message_order as bigint) as message_order
from with_keys
left join local_quarters
    on with_keys.workspace = local_quarters.workspace and with_keys.quarter_hour = local_quarters.quarter_hour
left join agents
    on
        with_keys.workspace = agents.workspace
        and with_keys.source = agents.source
        and with_keys.agent_source_id = agents.agent_source_id
        and with_keys.agent_account = coalesce(agents.account, '')
