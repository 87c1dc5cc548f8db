-- Agents of all sources. Without an inbox an agent is the name that was given when the message was sent.
with inbox as (
    select * from {{ ref('int_inbox__agents') }}
),

chatwoot as (
    select * from {{ ref('int_chatwoot__agents') }}
),

messages as (
    select * from {{ ref('int_conversation_messages') }}
),

tagged as (
    select
        workspace,
        'whatsapp' as source,
        cast(null as string) as account,
        author_source_id as agent_id,
        author_source_id as agent_name,
        true as is_active
    from messages
    where source = 'whatsapp' and author_type = 'agent' and author_source_id is not null
    group by workspace, author_source_id
),

together as (
    select * from inbox
    union all
    select * from chatwoot
    union all
    select * from tagged
)

select
    {{ keyed_hash(["'agent'", "workspace", "source", "coalesce(account, '')", "agent_id"]) }} as agent_id,
    workspace,
    source,
    account,
    agent_id as agent_source_id,
    coalesce(agent_name, agent_id) as agent_name,
    is_active
from together
