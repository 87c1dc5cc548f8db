-- One row per tag put on or taken off, from webhooks, notices and what snapshots show that neither told.
with changes as (select * from {{ ref('int_chatwoot__changes') }}),

label_snapshots as (select * from {{ ref('int_chatwoot__label_snapshots') }}),

pairs as (select * from {{ ref('int_chatwoot__snapshot_pairs') }}),

shown as (
    select
        *,
        workspace || '|' || account || '|' || ticket_id || '|tag|' || action || '|' || tag as change_group
    from label_snapshots
),

told_events as (
    select
        changes.workspace,
        changes.account,
        changes.ticket_id,
        changes.tag,
        changes.action,
        -- a snapshot of a later state may be dated before the notice of it
        case when shown.observed_at < changes.occurred_at then shown.observed_at else changes.occurred_at end
            as occurred_at,
        case
            when changes.actor_type in ('agent', 'automation') then changes.actor_type
            else 'unknown'
        end as actor_type,
        case when changes.actor_type in ('agent', 'automation') then changes.actor_id end as actor_id,
        case when changes.actor_type in ('agent', 'automation') then changes.actor_name end as actor_name,
        changes.evidence,
        false as is_baseline
    from changes
    left join pairs on changes.change_group = pairs.change_group and changes.place = pairs.told_place
    left join shown on pairs.change_group = shown.change_group and pairs.snapshot_number = shown.snapshot_number
    where changes.subject = 'tag'
),

shown_events as (
    select
        shown.workspace,
        shown.account,
        shown.ticket_id,
        shown.tag,
        shown.action,
        shown.observed_at as occurred_at,
        'unknown' as actor_type,
        cast(null as string) as actor_id,
        cast(null as string) as actor_name,
        'snapshot' as evidence,
        shown.is_first as is_baseline
    from shown
    left join pairs on shown.change_group = pairs.change_group and shown.snapshot_number = pairs.snapshot_number
    where pairs.change_group is null
)

select
    workspace,
    'chatwoot' as source,
    account,
    ticket_id,
    tag,
    action,
    occurred_at,
    actor_type,
    actor_id,
    actor_name,
    evidence,
    is_baseline
from (
    select * from told_events
    union all
    select * from shown_events
) as all_events
