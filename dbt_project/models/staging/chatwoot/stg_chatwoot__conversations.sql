with accounts as (select * from {{ ref('stg_chatwoot__accounts') }}),

source as (select * from {{ source('chatwoot', 'conversations') }})

select
    source.workspace,
    coalesce(source.account, accounts.account) as account,
    source.conversation_id as ticket_id,
    source.event,
    source.inbox_id as channel_id,
    source.status,
    source.contact_id,
    source.contact_source_phone,
    source.contact_user_id,
    source.assignee_id,
    source.team_id,
    source.priority,
    source.unread_count,
    source.created_at,
    source.last_activity_at,
    source.first_reply_created_at,
    source.waiting_since,
    source.contact_last_seen_at,
    source.updated_at,
    source.observed_at,
    source.landing_file,
    source.landing_line,
    source.position,
    source.received_at
from source
left join accounts on source.workspace = accounts.workspace
