with accounts as (select * from {{ ref('stg_chatwoot__accounts') }}),

source as (select * from {{ source('chatwoot', 'agents') }})

select
    source.workspace,
    coalesce(source.account, accounts.account) as account,
    source.agent_id,
    source.agent_type,
    source.agent_name,
    source.role,
    source.seen_as,
    source.observed_at,
    source.landing_file,
    source.landing_line,
    source.position,
    source.received_at
from source
left join accounts on source.workspace = accounts.workspace
