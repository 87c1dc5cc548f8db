with accounts as (select * from {{ ref('stg_chatwoot__accounts') }}),

source as (select * from {{ source('chatwoot', 'other_objects') }})

select
    source.workspace,
    coalesce(source.account, accounts.account) as account,
    source.object_kind,
    source.event,
    source.path,
    source.call,
    source.object_id,
    source.is_known_kind,
    source.happened_at,
    source.details,
    source.landing_file,
    source.landing_line,
    source.position,
    source.received_at
from source
left join accounts on source.workspace = accounts.workspace
