-- One row per change of status or tag, whoever told it: of a pair the earliest time and the best-known actor stay.
with changes as (select * from {{ ref('int_chatwoot__changes_by_evidence') }}),

pairs as (select * from {{ ref('int_chatwoot__notice_pairs') }}),

webhooks as (
    select * from changes
    where evidence = 'event'
),

notices as (
    select * from changes
    where evidence = 'activity'
),

together as (
    select
        coalesce(webhooks.workspace, notices.workspace) as workspace,
        coalesce(webhooks.account, notices.account) as account,
        coalesce(webhooks.ticket_id, notices.ticket_id) as ticket_id,
        coalesce(webhooks.subject, notices.subject) as subject,
        coalesce(webhooks.tag, notices.tag) as tag,
        coalesce(webhooks.action, notices.action) as action,
        coalesce(webhooks.change_group, notices.change_group) as change_group,
        coalesce(webhooks.evidence, notices.evidence) as evidence,
        least(
            coalesce(webhooks.occurred_at, notices.occurred_at), coalesce(notices.occurred_at, webhooks.occurred_at)
        ) as occurred_at,
        -- a webhook says who by id, a notice by name
        coalesce(webhooks.actor_type <> 'unknown', false) as is_webhook_sure,
        webhooks.actor_type as webhook_actor_type,
        webhooks.actor_id as webhook_actor_id,
        webhooks.actor_name as webhook_actor_name,
        notices.actor_type as notice_actor_type,
        notices.actor_id as notice_actor_id,
        notices.actor_name as notice_actor_name,
        webhooks.run_number as webhook_run,
        notices.run_number as notice_run
    from webhooks
    left join pairs on webhooks.change_group = pairs.change_group and webhooks.run_number = pairs.webhook_run
    full outer join notices on pairs.change_group = notices.change_group and pairs.notice_run = notices.run_number
)

select
    workspace,
    account,
    ticket_id,
    subject,
    tag,
    action,
    change_group,
    row_number() over (
        partition by change_group order by occurred_at, webhook_run nulls last, notice_run nulls last
    ) as place,
    evidence,
    occurred_at,
    case when is_webhook_sure then webhook_actor_type else coalesce(notice_actor_type, 'unknown') end as actor_type,
    case when is_webhook_sure then webhook_actor_id else notice_actor_id end as actor_id,
    case
        when is_webhook_sure then coalesce(webhook_actor_name, notice_actor_name)
        else notice_actor_name
    end as actor_name
from together
