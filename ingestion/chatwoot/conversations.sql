-- One row per sighting of a conversation: in a page, in its own webhooks, in those of its messages.
select
    workspace,
    landing_file,
    landing_line,
    position,
    received_at,
    account,
    conversation_id,
    event,
    observed_at,
    updated_at,
    (conversation ->> '$.uuid') as uuid,
    (conversation ->> '$.inbox_id') as inbox_id,
    case (conversation ->> '$.status')
        when '0' then 'open'
        when '1' then 'resolved'
        when '2' then 'pending'
        when '3' then 'snoozed'
        else (conversation ->> '$.status')
    end as status,
    coalesce((conversation ->> '$.meta.sender.id'), (conversation ->> '$.contact_inbox.contact_id')) as contact_id,
    source_phone(contact_source_id) as contact_source_phone,
    source_user_id(contact_source_id) as contact_user_id,
    (conversation ->> '$.meta.assignee.id') as assignee_id,
    (conversation ->> '$.meta.team.id') as team_id,
    (conversation ->> '$.priority') as priority,
    sane_instant(conversation -> '$.created_at') as created_at,
    sane_instant(conversation -> '$.last_activity_at') as last_activity_at,
    sane_instant(conversation -> '$.first_reply_created_at') as first_reply_created_at,
    sane_instant(conversation -> '$.waiting_since') as waiting_since,
    sane_instant(conversation -> '$.contact_last_seen_at') as contact_last_seen_at,
    try_cast((conversation ->> '$.unread_count') as bigint) as unread_count
from (
    select
        *,
        coalesce(
            (conversation ->> '$.contact_inbox.source_id'),
            -- a page shows it only around its messages, which may belong to another conversation
            case
                when coalesce((conversation ->> '$.messages[0].conversation_id'), conversation_id) = conversation_id
                    then (conversation ->> '$.messages[0].conversation.contact_inbox.source_id')
            end
        ) as contact_source_id
    from readable_conversations
)
