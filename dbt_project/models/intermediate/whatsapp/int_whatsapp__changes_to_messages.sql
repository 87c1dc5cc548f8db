{{ config(meta={'stage': 'evidence', 'touched': {'told.messages': ['workspace', 'phone_number_id', 'target_wamid']}}) }}

-- Edits and revokes up to now, by the message they touch.
with messages as (
    select * from {{ ref('stg_whatsapp__messages') }}
),

workspaces as (
    select * from {{ ref('stg_settings__workspaces') }}
)

select
    messages.workspace,
    messages.phone_number_id,
    messages.target_wamid,
    min(case when messages.message_type = 'edit' then messages.sent_at end) as edited_at,
    min(case when messages.message_type = 'revoke' then messages.sent_at end) as revoked_at
from messages
inner join workspaces
    on messages.workspace = workspaces.workspace
where
    messages.message_type in ('edit', 'revoke')
    and messages.target_wamid is not null
    and messages.sent_at < workspaces.as_of
group by messages.workspace, messages.phone_number_id, messages.target_wamid
