{{ config(materialized='view') }}

-- Everything any source has seen of ids and phones, up to now.
with whatsapp as (
    select * from {{ ref('int_whatsapp__identities') }}
),

inbox as (
    select * from {{ ref('int_inbox__identities') }}
),

chatwoot as (
    select * from {{ ref('int_chatwoot__identities') }}
),

salla as (
    select * from {{ ref('int_salla__identities') }}
),

workspaces as (
    select * from {{ ref('stg_settings__workspaces') }}
),

together as (
    select workspace, user_id, phone, seen_at from whatsapp
    union all
    select workspace, user_id, phone, seen_at from inbox
    union all
    select workspace, user_id, phone, seen_at from chatwoot
    union all
    select workspace, user_id, phone, seen_at from salla
)

select
    together.workspace,
    together.user_id,
    together.phone,
    together.seen_at
from together
inner join workspaces
    on together.workspace = workspaces.workspace
where together.seen_at < workspaces.as_of
