with accounts as (select * from {{ ref('stg_chatwoot__accounts') }}),

source as (select * from {{ source('chatwoot', 'teams') }})

select
    source.workspace,
    coalesce(source.account, accounts.account) as account,
    source.team_id,
    source.team_name,
    source.landing_file,
    source.landing_line,
    source.position,
    source.received_at
from source
left join accounts on source.workspace = accounts.workspace
