-- Conversations that are no longer in Chatwoot, as the pull noticed; the earliest time of it counts. One that was seen
-- again after that (a false alarm, a backup put back) has no row. A page shows what is there when it comes; a webhook
-- may come late, so that its own time counts.
with accounts as (select * from {{ ref('stg_chatwoot__accounts') }}),

source as (select * from {{ source('chatwoot', 'tombstones') }}),

conversations as (select * from {{ ref('stg_chatwoot__conversations') }}),

messages as (select * from {{ ref('stg_chatwoot__messages') }}),

named as (
    select
        source.workspace,
        coalesce(source.account, accounts.account) as account,
        source.conversation_id as ticket_id,
        source.gone_at
    from source
    left join accounts on source.workspace = accounts.workspace
),

sightings as (
    select workspace, account, ticket_id, event, received_at, observed_at from conversations
    union all
    select workspace, account, ticket_id, event, received_at, created_at as observed_at from messages
),

last_seen as (
    select
        workspace,
        account,
        ticket_id,
        max(case when event is null then coalesce(received_at, observed_at) else observed_at end) as seen_at
    from sightings
    group by workspace, account, ticket_id
)

select
    named.workspace,
    named.account,
    named.ticket_id,
    min(named.gone_at) as gone_at
from named
left join last_seen
    on
        named.workspace = last_seen.workspace
        and named.account = last_seen.account
        and named.ticket_id = last_seen.ticket_id
where last_seen.seen_at is null or named.gone_at >= last_seen.seen_at
group by named.workspace, named.account, named.ticket_id
