-- What no other table holds, kept and counted: reports, definitions, audit logs, empty pages, kinds we do not know yet.
with unnamed_labels as (
    select
        workspace, landing_file, landing_line, 1 as position, received_at, account, path,
        kind as call,
        null::varchar as event,
        'labels of an unnamed conversation, or of no time' as object_kind,
        body as details,
        true as is_known_kind
    from calls
    where
        resource = 'conversation_labels'
        and (path_conversation_id is null or received_at is null)
        and json_type(body, '$.payload') = 'ARRAY'
),

other_items as (
    select
        workspace, landing_file, landing_line, item_number * 1000 as position, received_at,
        item_account as account,
        path,
        case when event is null then kind end as call,
        event,
        coalesce(event, path) as object_kind,
        item as details,
        coalesce(event in ('conversation_typing_on', 'conversation_typing_off', 'webwidget_triggered'), event is null)
        and (
            event is not null
            or lower(kind) = 'headers'
            or regexp_matches(
                path,
                '^/(reporting_events|reports|summary_reports|live_reports|audit_logs|custom_attribute_definitions|'
                || 'webhooks|conversations/|contacts/|canned_responses|campaigns|automation_rules|macros|agent_bots|'
                || 'csat_survey_responses)'
            )
        ) as is_known_kind
    from items
    where item_kind = 'other' or (event like 'conversation\_%' escape '\' and event not in (
        'conversation_created', 'conversation_updated', 'conversation_status_changed'
    ))
),

unknown_messages as (
    select
        workspace, landing_file, landing_line, position, received_at, account,
        null::varchar as path,
        null::varchar as call,
        event,
        'message: ' || message_type as object_kind,
        item as details,
        false as is_known_kind
    from readable_messages
    where message_type not in ('incoming', 'outgoing', 'activity', 'template')
),

empty_pages as (
    select
        c.workspace, c.landing_file, c.landing_line, 0 as position, c.received_at, c.account, c.path,
        c.kind as call,
        null::varchar as event,
        'empty ' || c.path as object_kind,
        c.body as details,
        true as is_known_kind
    from calls as c
    where
        c.resource not in ('webhook', 'conversation_labels', 'tombstone')
        and not exists (
            select 1 from items as i where i.landing_file = c.landing_file and i.landing_line = c.landing_line
        )
)

select
    workspace,
    landing_file,
    landing_line,
    position::bigint as position,
    received_at,
    account,
    object_kind,
    event,
    path,
    call, -- with what was asked for: a count of open ones or of all
    (details ->> '$.id') as object_id,
    coalesce(instant(details ->> '$.created_at'), instant(details ->> '$.timestamp')) as happened_at,
    is_known_kind,
    details
from (
    select * from unnamed_labels
    union all by name
    select * from other_items
    union all by name
    select * from unknown_messages
    union all by name
    select * from empty_pages
)
