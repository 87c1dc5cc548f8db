-- Edits and revokes, by the message they touch.
with messages as (
    select * from {{ ref('stg_whatsapp__messages') }}
)

select
    workspace,
    phone_number_id,
    target_wamid,
    min(case when message_type = 'edit' then sent_at end) as edited_at,
    min(case when message_type = 'revoke' then sent_at end) as revoked_at
from messages
where message_type in ('edit', 'revoke') and target_wamid is not null
group by workspace, phone_number_id, target_wamid
