insert into findings
select
    workspace,
    landing_file,
    landing_line,
    null,
    'not a Chatwoot webhook: no event'
from calls
where resource = 'webhook' and event is null;

insert into findings
select
    workspace,
    landing_file,
    landing_line,
    null,
    'labels of a conversation: no list of labels'
from calls
where resource = 'conversation_labels' and coalesce(json_type(body, '$.payload') <> 'ARRAY', true);

insert into findings
select
    workspace,
    landing_file,
    landing_line,
    null,
    'tombstone without a numeric conversation_id and a time'
from calls
where
    resource = 'tombstone'
    and (try_cast((body ->> '$.conversation_id') as bigint) is null or instant(body ->> '$.gone_at') is null);

insert into findings
select
    workspace,
    landing_file,
    landing_line,
    item_path,
    case
        when json_type(item) is distinct from 'OBJECT' then item_kind || ' is not an object'
        else item_kind || ' without a numeric id'
    end as reason
from items
where
    item_kind in ('contact', 'agent', 'inbox', 'team', 'label')
    and try_cast((item ->> '$.id') as bigint) is null;

insert into findings
select
    workspace,
    landing_file,
    landing_line,
    item_path,
    case
        when json_kind is distinct from 'OBJECT' then 'conversation is not an object'
        else 'conversation without a numeric id'
    end as reason
from conversation_items
where try_cast(conversation_id as bigint) is null;

insert into findings
select
    workspace,
    landing_file,
    landing_line,
    item_path,
    case
        when json_type(item) is distinct from 'OBJECT' then 'message is not an object'
        when try_cast(message_id as bigint) is null then 'message without a numeric id'
        when try_cast(conversation_id as bigint) is null then 'message without its conversation'
        when message_type is null then 'message without a message_type'
        when created_at is null then 'message without a readable created_at'
        else 'message dated more than a day after it was received'
    end as reason
from message_items
where
    json_type(item) is distinct from 'OBJECT'
    or try_cast(message_id as bigint) is null
    or try_cast(conversation_id as bigint) is null
    or message_type is null
    or created_at is null
    or created_at > received_at + interval 1 day;

create temp table readable_conversations as
select * from conversation_items where try_cast(conversation_id as bigint) is not null;

create temp table readable_messages as
select m.*
from message_items as m
where
    try_cast(m.message_id as bigint) is not null
    and try_cast(m.conversation_id as bigint) is not null
    and m.message_type is not null
    and m.created_at is not null
    and coalesce(m.created_at <= m.received_at + interval 1 day, true);
