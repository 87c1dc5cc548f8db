with accounts as (select * from {{ ref('stg_chatwoot__accounts') }}),

source as (select * from {{ source('chatwoot', 'conversation_labels') }})

select
    source.workspace,
    coalesce(source.account, accounts.account) as account,
    source.conversation_id as ticket_id,
    source.label as tag,
    source.label_set,
    source.label_count,
    source.observed_at,
    source.landing_file,
    source.landing_line,
    source.position,
    source.received_at
from source
left join accounts on source.workspace = accounts.workspace
