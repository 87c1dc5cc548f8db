-- Landed webhooks as one row for each thing told of a message. The lines are whole; a body may be cut short.
-- {files} is filled in by limit.py.
create temp table changes as
select
    epoch_us(cast(received_at as timestamptz)) as received_us,
    unnest(flatten(list_transform(told.entry, one -> one.changes))) as change
from (
    select
        received_at,
        from_json(
            case when json_valid(body) then body end,
            '{{"entry":[{{"changes":[{{"value":{{'
            || '"metadata":{{"phone_number_id":"VARCHAR"}},'
            || '"contacts":[{{"wa_id":"VARCHAR","user_id":"VARCHAR"}}],'
            || '"messages":[{{"id":"VARCHAR","timestamp":"BIGINT","type":"VARCHAR","from":"VARCHAR","from_user_id":"VARCHAR"}}],'
            || '"message_echoes":[{{"id":"VARCHAR","timestamp":"BIGINT","type":"VARCHAR","to":"VARCHAR","to_user_id":"VARCHAR"}}],'
            || '"statuses":[{{"id":"VARCHAR","status":"VARCHAR","timestamp":"BIGINT","recipient_id":"VARCHAR",'
            || '"recipient_user_id":"VARCHAR","biz_opaque_callback_data":"VARCHAR"}}],'
            || '"user_id_update":[{{"user_id":{{"previous":"VARCHAR","current":"VARCHAR"}},"wa_id":"VARCHAR","timestamp":"BIGINT"}}]'
            || '}}}}]}}]}}'
        ) as told
    from read_json({files}, format = 'newline_delimited', columns = {{'received_at': 'varchar', 'body': 'varchar'}})
);

-- kind: 0 a customer's message, 1 an echo, 2 a status; progress: how far a status says a message came
create temp table told as
with received as (
    select
        received_us,
        change.value.metadata.phone_number_id as channel,
        unnest(change.value.messages) as item,
        generate_subscripts(change.value.messages, 1) as position
    from changes
    where change.value.messages is not null
),

echoed as (
    select
        received_us,
        change.value.metadata.phone_number_id as channel,
        unnest(change.value.message_echoes) as item,
        generate_subscripts(change.value.message_echoes, 1) as position
    from changes
    where change.value.message_echoes is not null
),

stated as (
    select
        received_us,
        change.value.metadata.phone_number_id as channel,
        unnest(change.value.statuses) as item,
        generate_subscripts(change.value.statuses, 1) as position
    from changes
    where change.value.statuses is not null
)

select
    channel, item.id as wamid, cast(0 as tinyint) as kind, item.timestamp as at_s, received_us, position,
    item.from as phone, item.from_user_id as user_id, cast(null as varchar) as tag, cast(0 as tinyint) as progress,
    item.type not in ('reaction', 'edit', 'revoke', 'system', 'request_welcome') as is_message
from received

union all

select
    channel, item.id, 1, item.timestamp, received_us, position, item.to, item.to_user_id, null, 0,
    item.type not in ('reaction', 'edit', 'revoke', 'system')
from echoed

union all

select
    channel, item.id, 2, item.timestamp, received_us, position, item.recipient_id, item.recipient_user_id,
    item.biz_opaque_callback_data,
    case item.status when 'sent' then 1 when 'delivered' then 2 when 'read' then 3 when 'played' then 4 when 'failed' then -1 else 0 end,
    true
from stated;

create temp table links as
select at_s, previous_id, current_id, phone
from (
    select unnest(change.value.user_id_update) as item
    from changes
    where change.value.user_id_update is not null
) as updates,
    lateral (
        select
            item.timestamp as at_s,
            item.user_id.previous as previous_id,
            item.user_id.current as current_id,
            item.wa_id as phone
    ) as opened
where at_s < epoch(getvariable('as_of'))
group by at_s, previous_id, current_id, phone;

-- a contact names what the message beside it names; only where it names more is it of use
create temp table contacts as
select contact.wa_id as phone, contact.user_id as user_id, at_s
from (
    select
        unnest(change.value.contacts) as contact,
        coalesce(change.value.messages[1].timestamp, change.value.statuses[1].timestamp) as at_s
    from changes
    where change.value.contacts is not null
);

drop table changes;
