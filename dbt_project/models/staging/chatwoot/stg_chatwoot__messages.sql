with accounts as (select * from {{ ref('stg_chatwoot__accounts') }}),

source as (select * from {{ source('chatwoot', 'messages') }})

select
    source.workspace,
    coalesce(source.account, accounts.account) as account,
    source.message_id,
    source.conversation_id as ticket_id,
    source.inbox_id as channel_id,
    source.event,
    source.message_type,
    source.is_private,
    source.is_external_echo,
    source.is_deleted,
    source.source_id,
    case when source.source_id like 'wamid.%' then source.source_id end as wamid,
    source.content_type,
    source.attachment_type,
    source.text_length,
    source.status,
    source.sender_type,
    source.sender_id,
    source.sender_name,
    source.automation_rule_id,
    source.campaign_id,
    source.template_name,
    source.created_at,
    source.updated_at,
    source.observed_at,
    source.landing_file,
    source.landing_line,
    source.position,
    source.received_at
from source
left join accounts on source.workspace = accounts.workspace
