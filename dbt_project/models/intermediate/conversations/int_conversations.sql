{{ config(meta={'stage': 'people', 'touched': {'people.conversations': ['conversation_id']}}) }}

-- Conversations of all sources, a row each: tickets as their source has them, sessions as they were cut.
with tickets as (
    select * from {{ ref('int_tickets') }}
),

messages as (
    select * from {{ ref('int_conversation_messages') }}
),

workspaces as (
    select * from {{ ref('stg_settings__workspaces') }}
),

by_messages as (
    select
        conversation_id,
        min(workspace) as workspace,
        min(source) as source,
        min(channel) as channel,
        min(customer_id) as customer_id,
        min(sent_at) as first_message_at,
        max(sent_at) as last_message_at,
        min(case when author_type = 'customer' then sent_at end) as first_customer_message_at,
        max(case when message_order = 1 and author_type <> 'customer' then 1 else 0 end) = 1 as is_business_started,
        count(case when author_type = 'customer' then 1 end) as customer_messages,
        count(case when author_type = 'agent' then 1 end) as agent_messages,
        count(case when author_type = 'automation' then 1 end) as automation_messages,
        count(case when author_type = 'unknown' then 1 end) as unknown_messages
    from messages
    where message_order is not null
    group by conversation_id
),

together as (
    select
        coalesce(by_messages.conversation_id, tickets.conversation_id) as conversation_id,
        coalesce(by_messages.workspace, tickets.workspace) as workspace,
        coalesce(by_messages.source, tickets.source) as source,
        tickets.account,
        coalesce(tickets.channel, by_messages.channel) as channel,
        tickets.ticket_id,
        coalesce(by_messages.customer_id, tickets.customer_id) as customer_id,
        tickets.conversation_url,
        tickets.created_at,
        coalesce(by_messages.first_message_at, tickets.created_at, tickets.first_message_at, tickets.snapshot_at)
            as started_at,
        -- a ticket without a message is there from its creation on; a failed message is in one
        coalesce(by_messages.first_message_at, tickets.first_message_at, tickets.created_at) as known_from,
        by_messages.last_message_at,
        by_messages.first_customer_message_at,
        coalesce(by_messages.is_business_started, false) as is_business_started,
        coalesce(by_messages.customer_messages, 0) as customer_messages,
        coalesce(by_messages.agent_messages, 0) as agent_messages,
        coalesce(by_messages.automation_messages, 0) as automation_messages,
        coalesce(by_messages.unknown_messages, 0) as unknown_messages
    from by_messages
    full outer join tickets
        on by_messages.conversation_id = tickets.conversation_id
)

select
    together.conversation_id,
    together.workspace,
    together.source,
    together.account,
    together.channel,
    together.ticket_id,
    together.customer_id,
    together.conversation_url,
    together.created_at,
    together.started_at,
    together.last_message_at,
    together.first_customer_message_at,
    together.is_business_started,
    together.customer_messages,
    together.agent_messages,
    together.automation_messages,
    together.unknown_messages
from together
inner join workspaces
    on together.workspace = workspaces.workspace
where together.known_from is null or together.known_from < workspaces.as_of
