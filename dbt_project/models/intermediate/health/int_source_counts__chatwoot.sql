-- What Chatwoot itself counts, as it last told before now, beside what we knew of the same instant.
with objects as (
    select * from {{ ref('stg_chatwoot__other_objects') }}
),

conversations as (
    select * from {{ ref('int_chatwoot__conversations') }}
),

tombstones as (
    select * from {{ ref('stg_chatwoot__tombstones') }}
),

sightings as (
    select * from {{ ref('stg_chatwoot__conversations') }}
),

status_changes as (
    select * from {{ ref('stg_chatwoot__status_changes') }}
),

workspaces as (
    select * from {{ ref('stg_settings__workspaces') }}
),

-- a count cut by anything else (an inbox, a team) is another one
counts as (
    select
        workspace,
        account,
        received_at as told_at,
        landing_file,
        landing_line,
        case
            when path = '/conversations/meta' and call like '%?status=all' then 'conversations'
            when path = '/conversations/meta' and call like '%?status=open' then 'open_conversations'
            when path = '/live_reports/conversation_metrics' and call not like '%?%' then 'pending_conversations'
        end as counted,
        case
            when path = '/conversations/meta' then {{ json_text('details', '$.meta.all_count') }}
            else {{ json_text('details', '$.pending') }}
        end as own_count
    from objects
    where path in ('/conversations/meta', '/live_reports/conversation_metrics')
),

ranked as (
    select
        counts.workspace,
        counts.account,
        counts.counted,
        counts.told_at,
        cast(counts.own_count as bigint) as own_count,
        row_number() over (
            partition by counts.workspace, counts.account, counts.counted
            order by counts.told_at desc, counts.landing_file desc, counts.landing_line desc
        ) as age
    from counts
    inner join workspaces
        on counts.workspace = workspaces.workspace
    where counts.told_at < workspaces.as_of and counts.counted is not null and try_cast(counts.own_count as bigint) >= 0
),

newest as (
    select *
    from ranked
    where age = 1
),

there as (
    select
        newest.workspace,
        newest.account,
        newest.counted,
        newest.told_at,
        conversations.ticket_id
    from newest
    inner join conversations
        on
            newest.workspace = conversations.workspace
            and newest.account = conversations.account
            and newest.told_at >= coalesce(conversations.created_at, newest.told_at)
    left join tombstones
        on
            conversations.workspace = tombstones.workspace
            and conversations.account = tombstones.account
            and conversations.ticket_id = tombstones.ticket_id
    where tombstones.gone_at is null or tombstones.gone_at > newest.told_at
),

told_states as (
    select workspace, account, ticket_id, status, observed_at as told_at, received_at, landing_file, landing_line
    from sightings
    where status is not null

    union all

    select workspace, account, ticket_id, status, changed_at as told_at, received_at, landing_file, landing_line
    from status_changes
    where status is not null
),

-- the inbox's own words: pending and snoozed are open to us, but not to it
states_then as (
    select
        there.workspace,
        there.account,
        there.counted,
        there.ticket_id,
        told_states.status,
        row_number() over (
            partition by there.workspace, there.account, there.counted, there.ticket_id
            order by
                told_states.told_at desc nulls last, told_states.received_at desc nulls last,
                told_states.landing_file desc, told_states.landing_line desc, told_states.status
        ) as age
    from there
    left join told_states
        on
            there.workspace = told_states.workspace
            and there.account = told_states.account
            and there.ticket_id = told_states.ticket_id
            and there.told_at >= told_states.told_at
),

ours as (
    select
        workspace,
        account,
        counted,
        count(
            case
                when counted = 'conversations' then 1
                when counted = 'open_conversations' and status = 'open' then 1
                when counted = 'pending_conversations' and status = 'pending' then 1
            end
        ) as our_count
    from states_then
    where age = 1
    group by workspace, account, counted
)

select
    newest.workspace,
    newest.account,
    newest.counted,
    newest.told_at,
    newest.own_count,
    coalesce(ours.our_count, 0) as our_count
from newest
left join ours
    on newest.workspace = ours.workspace and newest.account = ours.account and newest.counted = ours.counted
