-- Changes of status and of tags as each kind of evidence tells them, with who did it; a delivery that came twice
-- counts once.
with label_changes as (select * from {{ ref('stg_chatwoot__label_changes') }}),

status_changes as (select * from {{ ref('stg_chatwoot__status_changes') }}),

told as (
    select
        workspace, account, ticket_id, 'tag' as subject, tag, action, evidence, changed_at, message_id,
        previous_labels || ' > ' || current_labels as content,
        performed_by_type, performed_by_id, performed_by_name, actor_kind,
        received_at, landing_file, landing_line
    from label_changes
    union all
    select
        workspace, account, ticket_id, 'status' as subject, cast(null as string) as tag,
        case when status = 'resolved' then 'closed' else 'open' end as action,
        evidence, changed_at, message_id, cast(null as string) as content,
        performed_by_type, performed_by_id, performed_by_name, actor_kind,
        received_at, landing_file, landing_line
    from status_changes
    where
        status in ('open', 'resolved', 'pending', 'snoozed')
        -- between open, pending and snoozed nothing opens and nothing closes
        and not coalesce(status <> 'resolved' and previous_status in ('open', 'pending', 'snoozed'), false)
),

named as (
    select
        *,
        case
            when actor_kind = 'named' and lower(performed_by_name) like '%automation system%' then 'automation'
            when actor_kind = 'named' and lower(performed_by_name) like '%système d''automatisation%' then 'automation'
            when actor_kind is not null then actor_kind
            when performed_by_type = 'user' then 'user'
            when performed_by_type in ('agent_bot', 'automation_rule', 'captain_assistant') then 'automation'
            when performed_by_type = 'contact' then 'customer'
            when performed_by_type = 'inbox' then 'system'
            else 'unknown'
        end as actor_kind_told
    from told
    where changed_at is not null
)

select
    workspace,
    account,
    ticket_id,
    subject,
    coalesce(tag, '') as tag,
    action,
    evidence,
    min(changed_at) as occurred_at,
    -- a webhook may come twice and only one of them say who; unknown comes last in this order
    min(case when actor_kind_told <> 'unknown' then actor_kind_told end) as actor_kind,
    min(case when actor_kind_told <> 'unknown' then performed_by_id end) as actor_id,
    min(case when actor_kind_told <> 'unknown' then performed_by_name end) as actor_name,
    cast(message_id as bigint) as message_number,
    min(received_at) as received_at,
    min(landing_file) as landing_file,
    min(landing_line) as landing_line
from named
group by
    workspace, account, ticket_id, subject, tag, action, evidence, message_id,
    -- a notice is known by its message, a webhook by what it says
    case when evidence = 'event' then changed_at end,
    case when evidence = 'event' then content end
