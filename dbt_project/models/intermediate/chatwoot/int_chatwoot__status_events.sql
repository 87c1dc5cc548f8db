-- One row per real change between open and closed, from all that tells of one.
with changes as (select * from {{ ref('int_chatwoot__changes') }}),

sightings as (select * from {{ ref('stg_chatwoot__conversations') }}),

first_seen_closed as (
    select workspace, account, ticket_id, min(observed_at) as closed_at
    from sightings
    where status = 'resolved'
    group by workspace, account, ticket_id
),

status_changes as (
    select
        *,
        row_number() over (
            partition by workspace, account, ticket_id
            -- of two at one instant the one that changes something later is not told by time: the close goes last
            order by occurred_at, case when action = 'open' then 0 else 1 end, place
        ) as change_number
    from changes
    where subject = 'status'
),

compared as (
    select
        *,
        lag(action) over (partition by workspace, account, ticket_id order by change_number) as previous_action
    from status_changes
),

runs as (
    select
        *,
        sum(case when previous_action is null or previous_action <> action then 1 else 0 end) over (
            partition by workspace, account, ticket_id
            order by change_number
            rows between unbounded preceding and current row
        ) as run_number
    from compared
),

begun_runs as (
    select
        *,
        min(occurred_at) over (partition by workspace, account, ticket_id, run_number) as run_begun_at
    from runs
),

events as (
    select
        workspace,
        account,
        ticket_id,
        run_number,
        action as status,
        min(occurred_at) as occurred_at,
        coalesce(min_by(actor_type, change_number) filter (where actor_type <> 'unknown' and is_near), 'unknown')
            as actor_type,
        min_by(actor_id, change_number) filter (where actor_type <> 'unknown' and is_near and actor_id is not null)
            as actor_id,
        min_by(actor_name, change_number) filter (where actor_type <> 'unknown' and is_near and actor_name is not null)
            as actor_name,
        min_by(evidence, change_number) as evidence
    from (select *, occurred_at <= run_begun_at + interval '5' minute as is_near from begun_runs) as near_runs
    group by workspace, account, ticket_id, run_number, action
)

select
    events.workspace,
    'chatwoot' as source,
    events.account,
    events.ticket_id,
    events.status,
    events.occurred_at,
    events.actor_type,
    events.actor_id,
    events.actor_name,
    events.evidence
from events
left join first_seen_closed
    on
        events.workspace = first_seen_closed.workspace
        and events.account = first_seen_closed.account
        and events.ticket_id = first_seen_closed.ticket_id
-- a conversation is born open: an opening that nothing closed before (a bot hands over) is a repeat
where
    events.run_number > 1
    or events.status = 'closed'
    or coalesce(first_seen_closed.closed_at < events.occurred_at, false)
