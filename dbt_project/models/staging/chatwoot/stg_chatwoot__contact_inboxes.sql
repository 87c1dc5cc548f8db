with accounts as (select * from {{ ref('stg_chatwoot__accounts') }}),

source as (select * from {{ source('chatwoot', 'contact_inboxes') }})

select
    source.workspace,
    coalesce(source.account, accounts.account) as account,
    source.contact_id,
    source.inbox_id as channel_id,
    source.source_id,
    source.user_id,
    source.phone,
    source.observed_at,
    source.landing_file,
    source.landing_line,
    source.position,
    source.received_at
from source
left join accounts on source.workspace = accounts.workspace
