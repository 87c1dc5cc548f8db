-- One row per change of a conversation's status that a webhook or a notice tells.
with told as (
    select
        workspace, landing_file, landing_line, position, received_at, account, conversation_id, changed_at,
        'event' as evidence,
        event,
        null::varchar as message_id,
        coalesce((status_change ->> '$.current_value'), current_status) as status,
        (status_change ->> '$.previous_value') as previous_status,
        performed_by_type,
        performed_by_id,
        performed_by_name,
        null::varchar as actor_kind
    from told_changes
    where
        event in ('conversation_status_changed', 'conversation_opened', 'conversation_resolved')
        or status_change is not null

    union all by name

    select
        workspace, landing_file, landing_line, position, received_at, account, conversation_id, changed_at,
        'activity' as evidence,
        null::varchar as event,
        message_id,
        case told_status when 'closed' then 'resolved' else told_status end as status,
        null::varchar as previous_status,
        null::varchar as performed_by_type,
        null::varchar as performed_by_id,
        actor_name as performed_by_name,
        actor_kind
    from notices
    where told_status is not null
)

select
    workspace,
    landing_file,
    landing_line,
    position::bigint as position,
    received_at,
    account,
    conversation_id,
    case status
        when '0' then 'open'
        when '1' then 'resolved'
        when '2' then 'pending'
        when '3' then 'snoozed'
        else status
    end as status,
    case previous_status
        when '0' then 'open'
        when '1' then 'resolved'
        when '2' then 'pending'
        when '3' then 'snoozed'
        else previous_status
    end as previous_status,
    changed_at,
    evidence,
    event,
    message_id,
    performed_by_type,
    performed_by_id,
    performed_by_name,
    actor_kind
from told
where status is not null
