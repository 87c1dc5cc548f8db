-- One row per label that a webhook or a notice tells was put on a conversation, or taken off.
with lists as (
    select
        *,
        titles(label_change -> '$.previous_value') as previous_titles,
        titles(label_change -> '$.current_value') as current_titles
    from told_changes
    where label_change is not null
),

differences as (
    select
        *,
        'applied' as action,
        unnest(list_filter(current_titles, lambda t: not list_contains(previous_titles, t))) as label
    from lists
    union all by name
    select
        *,
        'removed' as action,
        unnest(list_filter(previous_titles, lambda t: not list_contains(current_titles, t))) as label
    from lists
),

told as (
    select
        workspace, landing_file, landing_line, position, received_at, account, conversation_id, changed_at,
        action,
        label,
        'event' as evidence,
        null::varchar as message_id,
        array_to_string(list_sort(previous_titles), ', ') as previous_labels,
        array_to_string(list_sort(current_titles), ', ') as current_labels,
        performed_by_type,
        performed_by_id,
        performed_by_name,
        null::varchar as actor_kind
    from differences

    union all by name

    select
        workspace, landing_file, landing_line, position, received_at, account, conversation_id, changed_at,
        label_action as action,
        unnest(label_titles) as label,
        'activity' as evidence,
        message_id,
        null::varchar as previous_labels,
        null::varchar as current_labels,
        null::varchar as performed_by_type,
        null::varchar as performed_by_id,
        actor_name as performed_by_name,
        actor_kind
    from notices
    where label_action is not null
)

select
    workspace,
    landing_file,
    landing_line,
    position::bigint as position,
    received_at,
    account,
    conversation_id,
    trim(label) as label,
    action,
    changed_at,
    evidence,
    message_id,
    previous_labels,
    current_labels,
    performed_by_type,
    performed_by_id,
    performed_by_name,
    actor_kind
from told
where trim(label) <> ''
