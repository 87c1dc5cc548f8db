-- One row per sighting of a message, notices and private notes among them; dbt says which are messages.
select
    workspace,
    landing_file,
    landing_line,
    position,
    received_at,
    account,
    message_id,
    conversation_id,
    coalesce(told.inbox_id, (told.inbox ->> '$.id'), told.conversation.inbox_id) as inbox_id,
    event,
    message_type,
    created_at,
    updated_at,
    coalesce(updated_at, received_at, created_at) as observed_at,
    coalesce(try_cast(told.private as boolean), false) as is_private,
    told.source_id as source_id,
    told.content_type as content_type,
    told.attachments[1].file_type as attachment_type,
    length(told.content) as text_length,
    told.status as status,
    -- a class name in the column, a word in the sender; a contact's sender has none in webhooks
    regexp_replace(lower(coalesce(sender.type, told.sender_type)), '[^a-z]', '', 'g') as sender_type,
    coalesce(sender.id, told.sender_id) as sender_id,
    sender.name as sender_name,
    content_attributes.automation_rule_id as automation_rule_id,
    additional_attributes.campaign_id as campaign_id,
    additional_attributes.template_params.name as template_name,
    coalesce(try_cast(content_attributes.external_echo as boolean), false) as is_external_echo,
    coalesce(try_cast(content_attributes.deleted as boolean), false) as is_deleted
from readable_messages
where message_type in ('incoming', 'outgoing', 'activity', 'template')
