-- One row per message of any source, up to now.
with messages as (
    select * from {{ ref('int_conversation_messages') }}
),

workspaces as (
    select * from {{ ref('stg_settings__workspaces') }}
),

agents as (
    select * from {{ ref('int_agents') }}
),

in_local_time as (
    select
        messages.*,
        {{ local_timestamp('messages.sent_at', 'workspaces.timezone') }} as sent_local
    from messages
    inner join workspaces
        on messages.workspace = workspaces.workspace
)

select
    in_local_time.message_id,
    in_local_time.conversation_id,
    in_local_time.workspace,
    in_local_time.source,
    in_local_time.channel,
    in_local_time.sent_at,
    cast(in_local_time.sent_local as date) as sent_local_date,
    cast(extract(hour from in_local_time.sent_local) as integer) as sent_local_hour,
    case when in_local_time.author_type = 'customer' then 'inbound' else 'outbound' end as direction,
    in_local_time.author_type,
    in_local_time.is_human,
    agents.agent_id,
    in_local_time.customer_id,
    in_local_time.message_type,
    in_local_time.text_length,
    in_local_time.delivery_status,
    in_local_time.delivered_at,
    in_local_time.read_at,
    in_local_time.failed_at,
    case when in_local_time.sender_tag like 'campaign:%' or in_local_time.sender_tag like 'template:%' then in_local_time.sender_tag end
        as campaign,
    in_local_time.pricing_category,
    in_local_time.pricing_type,
    in_local_time.is_billable,
    in_local_time.edited_at,
    in_local_time.revoked_at,
    in_local_time.is_group,
    in_local_time.is_missing_in_inbox,
    in_local_time.is_counted,
    cast(in_local_time.message_order as bigint) as message_order
from in_local_time
left join agents
    on
        in_local_time.author_type = 'agent'
        and in_local_time.workspace = agents.workspace
        and in_local_time.source = agents.source
        and in_local_time.author_source_id = agents.agent_source_id
        and (in_local_time.source = 'whatsapp' or in_local_time.account = agents.account)
