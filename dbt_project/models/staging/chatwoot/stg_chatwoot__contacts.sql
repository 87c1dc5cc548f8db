with accounts as (select * from {{ ref('stg_chatwoot__accounts') }}),

source as (select * from {{ source('chatwoot', 'contacts') }})

select
    source.workspace,
    coalesce(source.account, accounts.account) as account,
    source.contact_id,
    source.event,
    source.contact_name,
    source.phone,
    source.email,
    source.identifier,
    source.username,
    source.salla_customer_id,
    source.created_at,
    source.observed_at,
    source.landing_file,
    source.landing_line,
    source.position,
    source.received_at
from source
left join accounts on source.workspace = accounts.workspace
