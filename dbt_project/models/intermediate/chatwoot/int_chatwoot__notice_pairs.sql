-- A webhook and a notice of the same change, paired one to one, in order, within five minutes: two pointers walk the
-- webhooks and the notices of a ticket, tag and action, and where they are not near, the earlier one moves on alone.
with recursive changes as (select * from {{ ref('int_chatwoot__changes_by_evidence') }}),

webhooks as (
    select
        change_group,
        run_number,
        occurred_at,
        row_number() over (partition by change_group order by run_number) as place
    from changes
    where evidence = 'event'
),

notices as (
    select
        change_group,
        run_number,
        occurred_at - interval '5' minute as low_at,
        occurred_at + interval '5' minute as high_at,
        row_number() over (partition by change_group order by run_number) as place
    from changes
    where evidence = 'activity'
),

walk as (
    select
        webhooks.change_group,
        webhooks.place as webhook_place,
        notices.place as notice_place
    from webhooks
    inner join notices on webhooks.change_group = notices.change_group and notices.place = 1
    where webhooks.place = 1

    union all

    select
        walk.change_group,
        walk.webhook_place + case when webhooks.occurred_at <= notices.high_at then 1 else 0 end as webhook_place,
        walk.notice_place + case when webhooks.occurred_at >= notices.low_at then 1 else 0 end as notice_place
    from walk
    inner join webhooks on walk.change_group = webhooks.change_group and walk.webhook_place = webhooks.place
    inner join notices on walk.change_group = notices.change_group and walk.notice_place = notices.place
)

select
    walk.change_group,
    webhooks.run_number as webhook_run,
    notices.run_number as notice_run
from walk
inner join webhooks on walk.change_group = webhooks.change_group and walk.webhook_place = webhooks.place
inner join notices on walk.change_group = notices.change_group and walk.notice_place = notices.place
where webhooks.occurred_at between notices.low_at and notices.high_at
