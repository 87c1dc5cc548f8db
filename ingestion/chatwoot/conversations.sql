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
    told.uuid as uuid,
    told.inbox_id as inbox_id,
    case told.status
        when '0' then 'open'
        when '1' then 'resolved'
        when '2' then 'pending'
        when '3' then 'snoozed'
        else told.status
    end as status,
    contact_id,
    source_phone(contact_source_id) as contact_source_phone,
    source_user_id(contact_source_id) as contact_user_id,
    assignee_id,
    told.meta.team.id as team_id,
    told.priority as priority,
    created_at,
    last_activity_at,
    instant(told.first_reply_created_at) as first_reply_created_at,
    instant(told.waiting_since) as waiting_since,
    instant(told.contact_last_seen_at) as contact_last_seen_at,
    try_cast(told.unread_count as bigint) as unread_count
from readable_conversations
