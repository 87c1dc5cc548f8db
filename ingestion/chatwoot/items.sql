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
    where resource not in ('webhook', 'conversation_labels')
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
)

select
    workspace,
    landing_file,
    landing_line,
    position,
    received_at,
    event,
    item_path,
    conversation,
    (conversation ->> '$.id') as conversation_id,
    coalesce((conversation ->> '$.account_id'), (conversation ->> '$.messages[0].account_id'), account) as account,
    sane_instant(conversation -> '$.updated_at') as updated_at,
    -- when the source says it looked like this; a page without such a time looked so when it came
    coalesce(
        sane_instant(conversation -> '$.updated_at'), received_at,
        sane_instant(conversation -> '$.last_activity_at'), sane_instant(conversation -> '$.created_at')
    ) as observed_at
from shown;

create temp table message_items as
with nested_lists as (
    select
        *,
        from_json(conversation, '{"messages":["JSON"],"last_non_activity_message":"JSON"}') as found
    from conversation_items
    where json_type(conversation) = 'OBJECT'
),

nested as (
    select
        * exclude (conversation, found),
        unnest(found.messages) as item,
        generate_subscripts(found.messages, 1) as nested_number
    from nested_lists

    union all by name

    -- mostly the one that stands in `messages` already
    select
        * exclude (conversation, found),
        found.last_non_activity_message as item,
        900 as nested_number
    from nested_lists
    where
        json_type(found.last_non_activity_message) = 'OBJECT'
        and (found.last_non_activity_message ->> '$.id') is distinct from (found.messages[-1] ->> '$.id')
),

shown as (
    select
        * exclude (item_account),
        item_account as told_account,
        (item ->> '$.conversation.id') as around_conversation_id,
        1000 * item_number as position
    from items
    where item_kind = 'message'

    union all by name

    select
        * exclude (position, item_path, nested_number, conversation_id, updated_at, observed_at),
        account as told_account,
        conversation_id as around_conversation_id,
        position + 1 + nested_number as position,
        concat_ws('.', item_path, format('messages[{}]', nested_number - 1)) as item_path
    from nested
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
    (item ->> '$.id') as message_id,
    coalesce((item ->> '$.account_id'), told_account) as account,
    coalesce((item ->> '$.conversation_id'), around_conversation_id, path_conversation_id) as conversation_id,
    coalesce((item ->> '$.inbox_id'), (item ->> '$.inbox.id'), (item ->> '$.conversation.inbox_id')) as inbox_id,
    -- a number in the API, a word in webhooks
    case (item ->> '$.message_type')
        when '0' then 'incoming'
        when '1' then 'outgoing'
        when '2' then 'activity'
        when '3' then 'template'
        else (item ->> '$.message_type')
    end as message_type,
    sane_instant(item -> '$.created_at') as created_at,
    sane_instant(item -> '$.updated_at') as updated_at,
    object_of(item -> '$.content_attributes') as content_attributes,
    object_of(item -> '$.additional_attributes') as additional_attributes
from shown;
