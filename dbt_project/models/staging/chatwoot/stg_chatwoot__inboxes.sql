with accounts as (select * from {{ ref('stg_chatwoot__accounts') }}),

source as (select * from {{ source('chatwoot', 'inboxes') }})

select
    source.workspace,
    coalesce(source.account, accounts.account) as account,
    source.inbox_id as channel_id,
    source.inbox_name as channel_name,
    source.channel_type,
    source.phone as inbox_phone,
    source.phone_number_id,
    source.is_locked_to_single_conversation,
    source.is_index,
    source.observed_at,
    source.landing_file,
    source.landing_line,
    source.position,
    source.received_at
from source
left join accounts on source.workspace = accounts.workspace
