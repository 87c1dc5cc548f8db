-- Everything that stands in a page or a webhook, each on its own; an answer of one object is a page of one.
create temp table items as
with pages as (
    select
        *,
        case
            when json_type(body) = 'ARRAY' then body
            when json_type(body, '$.data.payload') = 'ARRAY' then (body -> '$.data.payload')
            when json_type(body, '$.payload') = 'ARRAY' then (body -> '$.payload')
            when json_type(body, '$.data') = 'ARRAY' then (body -> '$.data')
            when json_type(body, '$.audit_logs') = 'ARRAY' then (body -> '$.audit_logs')
            when json_type(body, '$.payload.webhooks') = 'ARRAY' then (body -> '$.payload.webhooks')
            when json_type(body, '$.payload.contact') = 'OBJECT' then json_array(body -> '$.payload.contact')
            when json_type(body, '$.payload') = 'OBJECT' then json_array(body -> '$.payload')
            else json_array(body)
        end as listed
    from calls
    where resource not in ('webhook', 'conversation_labels', 'tombstone')
),

page_items as (
    select
        * exclude (body, listed, event),
        case resource
            when 'conversations' then 'conversation'
            when 'messages' then 'message'
            when 'contacts' then 'contact'
            when 'agents' then 'agent'
            when 'inboxes' then 'inbox'
            when 'teams' then 'team'
            when 'labels' then 'label'
            else 'other'
        end as item_kind,
        null::varchar as event,
        unnest(from_json(listed, '["JSON"]')) as item,
        generate_subscripts(from_json(listed, '["JSON"]'), 1)::bigint as item_number
    from pages
),

webhook_items as (
    select
        * exclude (body),
        case
            when event in ('message_created', 'message_updated') then 'message'
            when event in ('conversation_created', 'conversation_updated', 'conversation_status_changed')
                then 'conversation'
            when event in ('contact_created', 'contact_updated') then 'contact'
            when event in ('inbox_created', 'inbox_updated') then 'inbox'
            -- a kind we do not know yet may still show a conversation
            when event like 'conversation\_%' escape '\' and (body ->> '$.inbox_id') is not null then 'conversation'
            else 'other'
        end as item_kind,
        case
            when event in ('inbox_created', 'inbox_updated') then coalesce(body -> '$.inbox', body)
            else body
        end as item,
        1::bigint as item_number
    from calls
    where resource = 'webhook' and event is not null
)

select
    *,
    coalesce((item ->> '$.account_id'), account) as item_account,
    case when event is null then format('item[{}]', item_number - 1) end as item_path
from (select * from page_items union all by name select * from webhook_items);

-- A conversation wherever it is shown: in a page, in its own webhooks, inside those of its messages.
create temp table conversation_items as
with shown as (
    select
        * exclude (item),
        item as conversation,
        1000 * item_number as position
    from items
    where item_kind = 'conversation'

    union all by name

    select
        * exclude (item, item_path),
        (item -> '$.conversation') as conversation,
        1000 * item_number + 1 as position,
        'conversation' as item_path
    from items
    where event is not null and item_kind <> 'conversation' and (item ->> '$.conversation.id') is not null
),

opened as (
    select
        * exclude (conversation),
        json_type(conversation) as json_kind,
        from_json(
            conversation,
            '{"id":"VARCHAR","uuid":"VARCHAR","account_id":"VARCHAR","inbox_id":"VARCHAR","status":"VARCHAR",'
            || '"priority":"VARCHAR","unread_count":"VARCHAR","created_at":"VARCHAR","updated_at":"VARCHAR",'
            || '"last_activity_at":"VARCHAR","first_reply_created_at":"VARCHAR","waiting_since":"VARCHAR",'
            || '"contact_last_seen_at":"VARCHAR","agent_last_seen_at":"VARCHAR","assignee_last_seen_at":"VARCHAR",'
            || '"labels":"JSON","changed_attributes":"JSON","messages":["JSON"],"last_non_activity_message":"JSON",'
            || '"meta":{"sender":"JSON","assignee":"JSON","team":{"id":"VARCHAR"}},'
            || '"contact_inbox":{"contact_id":"VARCHAR","inbox_id":"VARCHAR","source_id":"VARCHAR"},'
            || '"performed_by":{"type":"VARCHAR","id":"VARCHAR","name":"VARCHAR"}}'
        ) as told
    from shown
),

first_messages as (
    select
        *,
        from_json(
            told.messages[1],
            '{"account_id":"VARCHAR","conversation_id":"VARCHAR","conversation":{"contact_inbox":{"source_id":"VARCHAR"}}}'
        ) as first_message,
        from_json(told.meta.sender, '{"id":"VARCHAR","phone_number":"VARCHAR"}') as sender,
        from_json(told.meta.assignee, '{"id":"VARCHAR"}') as assignee,
        instant(told.updated_at) as updated_at,
        instant(told.created_at) as created_at,
        instant(told.last_activity_at) as last_activity_at
    from opened
)

select
    workspace,
    landing_file,
    landing_line,
    position,
    received_at,
    event,
    item_path,
    json_kind,
    told,
    told.id as conversation_id,
    coalesce(told.account_id, first_message.account_id, account) as account,
    updated_at,
    created_at,
    last_activity_at,
    -- when the source says it looked like this; a page without such a time looked so when it came
    coalesce(updated_at, received_at, last_activity_at, created_at) as observed_at,
    coalesce(sender.id, told.contact_inbox.contact_id) as contact_id,
    sender.phone_number as contact_phone,
    assignee.id as assignee_id,
    coalesce(
        told.contact_inbox.source_id,
        -- a page shows it only around its messages, which may belong to another conversation
        case
            when coalesce(first_message.conversation_id, told.id) = told.id
                then first_message.conversation.contact_inbox.source_id
        end
    ) as contact_source_id,
    instant(told.agent_last_seen_at) as agent_last_seen_at,
    instant(told.assignee_last_seen_at) as assignee_last_seen_at
from first_messages;

create temp table message_items as
with nested as (
    select
        workspace, landing_file, landing_line, position, received_at, event, item_path, account, conversation_id,
        unnest(told.messages) as item,
        generate_subscripts(told.messages, 1) as nested_number
    from conversation_items

    union all by name

    -- mostly the one that stands in `messages` already
    select
        workspace, landing_file, landing_line, position, received_at, event, item_path, account, conversation_id,
        told.last_non_activity_message as item,
        900 as nested_number
    from conversation_items
    where
        json_type(told.last_non_activity_message) = 'OBJECT'
        and (told.last_non_activity_message ->> '$.id') is distinct from (told.messages[-1] ->> '$.id')
),

shown as (
    select
        workspace, landing_file, landing_line, received_at, event, item_path, item, path_conversation_id,
        item_account as told_account,
        null::varchar as around_conversation_id,
        1000 * item_number as position
    from items
    where item_kind = 'message'

    union all by name

    select
        workspace, landing_file, landing_line, received_at, event, item,
        account as told_account,
        conversation_id as around_conversation_id,
        position + 1 + nested_number as position,
        concat_ws('.', item_path, format('messages[{}]', nested_number - 1)) as item_path
    from nested
),

opened as (
    select
        *,
        from_json(
            item,
            '{"id":"VARCHAR","account_id":"VARCHAR","conversation_id":"VARCHAR","inbox_id":"VARCHAR","message_type":"VARCHAR",'
            || '"conversation":{"id":"VARCHAR","inbox_id":"VARCHAR"},"inbox":"JSON","private":"VARCHAR",'
            || '"created_at":"VARCHAR","updated_at":"VARCHAR","source_id":"VARCHAR","content":"VARCHAR",'
            || '"content_type":"VARCHAR","status":"VARCHAR","sender":"JSON","sender_type":"VARCHAR","sender_id":"VARCHAR",'
            || '"attachments":[{"file_type":"VARCHAR"}],"content_attributes":"JSON","additional_attributes":"JSON"}'
        ) as told
    from shown
)

select
    workspace,
    landing_file,
    landing_line,
    position,
    received_at,
    event,
    item_path,
    item,
    told,
    told.id as message_id,
    coalesce(told.account_id, told_account) as account,
    coalesce(told.conversation_id, told.conversation.id, around_conversation_id, path_conversation_id) as conversation_id,
    -- a number in the API, a word in webhooks
    case told.message_type
        when '0' then 'incoming'
        when '1' then 'outgoing'
        when '2' then 'activity'
        when '3' then 'template'
        else told.message_type
    end as message_type,
    instant(told.created_at) as created_at,
    instant(told.updated_at) as updated_at,
    from_json(told.sender, '{"id":"VARCHAR","type":"VARCHAR","name":"VARCHAR"}') as sender,
    from_json(
        object_of(told.content_attributes),
        '{"automation_rule_id":"VARCHAR","external_echo":"VARCHAR","deleted":"VARCHAR"}'
    ) as content_attributes,
    from_json(
        object_of(told.additional_attributes), '{"campaign_id":"VARCHAR","template_params":{"name":"VARCHAR"}}'
    ) as additional_attributes
from opened;
