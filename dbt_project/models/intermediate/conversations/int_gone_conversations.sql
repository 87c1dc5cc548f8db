-- Conversations that their inbox no longer has, from the instant a pull noticed. What happened in them stays counted;
-- from then on nobody can answer, read or close them there.
with tombstones as (
    select * from {{ ref('stg_chatwoot__tombstones') }}
),

tickets as (
    select * from {{ ref('int_tickets') }}
),

workspaces as (
    select * from {{ ref('stg_settings__workspaces') }}
)

select
    tickets.conversation_id,
    tombstones.gone_at
from tombstones
inner join tickets
    on
        tombstones.workspace = tickets.workspace
        and tombstones.account = tickets.account
        and tombstones.ticket_id = tickets.ticket_id
        and tickets.source = 'chatwoot'
inner join workspaces
    on tombstones.workspace = workspaces.workspace
where tombstones.gone_at < workspaces.as_of
