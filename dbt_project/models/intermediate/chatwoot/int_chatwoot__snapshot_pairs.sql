-- What a snapshot shows as new, paired with the change that explains it: told at any time since the snapshot before,
-- and up to five minutes outside, one to one and in order, as in int_chatwoot__notice_pairs.
with recursive changes as (select * from {{ ref('int_chatwoot__changes') }}),

label_snapshots as (select * from {{ ref('int_chatwoot__label_snapshots') }}),

told as (
    select change_group, place, occurred_at
    from changes
    where subject = 'tag'
),

shown as (
    select
        workspace || '|' || account || '|' || ticket_id || '|tag|' || action || '|' || tag as change_group,
        snapshot_number,
        -- nothing bounds what came before the first
        previous_seen_at - interval '5' minute as low_at,
        observed_at + interval '5' minute as high_at,
        row_number() over (partition by workspace, account, ticket_id, action, tag order by snapshot_number) as place
    from label_snapshots
),

walk as (
    select
        told.change_group,
        told.place as told_place,
        shown.place as shown_place
    from told
    inner join shown on told.change_group = shown.change_group and shown.place = 1
    where told.place = 1

    union all

    select
        walk.change_group,
        walk.told_place + case when told.occurred_at <= shown.high_at then 1 else 0 end as told_place,
        walk.shown_place + case when told.occurred_at < shown.low_at then 0 else 1 end as shown_place
    from walk
    inner join told on walk.change_group = told.change_group and walk.told_place = told.place
    inner join shown on walk.change_group = shown.change_group and walk.shown_place = shown.place
)

select
    walk.change_group,
    told.place as told_place,
    shown.snapshot_number
from walk
inner join told on walk.change_group = told.change_group and walk.told_place = told.place
inner join shown on walk.change_group = shown.change_group and walk.shown_place = shown.place
where told.occurred_at <= shown.high_at and not coalesce(told.occurred_at < shown.low_at, false)
