with accounts as (select * from {{ ref('stg_chatwoot__accounts') }}),

source as (select * from {{ source('chatwoot', 'status_changes') }})

select
    source.workspace,
    coalesce(source.account, accounts.account) as account,
    source.conversation_id as ticket_id,
    source.status,
    source.previous_status,
    source.evidence,
    source.event,
    source.message_id,
    source.performed_by_type,
    source.performed_by_id,
    source.performed_by_name,
    source.actor_kind,
    source.changed_at,
    source.landing_file,
    source.landing_line,
    source.position,
    source.received_at
from source
left join accounts on source.workspace = accounts.workspace
