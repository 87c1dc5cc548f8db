-- What is told of the messages, a row per POST before repeats: `told`.
create or replace temp table told as
with customer_messages as (
    select
        message,
        'customer' as kind,
        sent_at * 1000000 + lateness(message, 'm') as received_us,
        envelope(
            'messages',
            number,
            contacts(person, sent_at) || '"messages":[{' || person_members(person, sent_at, 'from', 'from_user_id')
            || '"id":"' || wamid_of(message) || '","timestamp":"' || sent_at || '",'
            || case
                when draw(message, 'kind') < 0.67
                    then '"type":"text","text":{"body":"' || repeat('سؤال عن الطلب ', between_draw(message, 'length', 1, 9)) || '"}'
                when draw(message, 'kind') < 0.72
                    then
                        '"type":"image","image":{"mime_type":"image/jpeg","sha256":"aa","id":"'
                        || hash(getvariable('seed'), message, 'image') || '","caption":"c"}'
                when draw(message, 'kind') < 0.77
                    then
                        '"type":"audio","audio":{"mime_type":"audio/ogg","sha256":"ab","id":"'
                        || hash(getvariable('seed'), message, 'audio') || '","voice":true}'
                when draw(message, 'kind') < 0.81 then '"type":"location","location":{"latitude":24.7,"longitude":46.7}'
                when draw(message, 'kind') < 0.86
                    then '"type":"interactive","interactive":{"type":"button_reply","button_reply":{"id":"b1","title":"Yes"}}'
                when draw(message, 'kind') < 0.91 then '"type":"button","button":{"payload":"p","text":"Track"}'
                when draw(message, 'kind') < 0.95
                    then
                        '"type":"order","order":{"catalog_id":"77","product_items":'
                        || '[{"product_retailer_id":"sku1","quantity":1,"item_price":20,"currency":"SAR"}]}'
                else '"type":"unsupported","errors":[{"code":131051,"title":"Unsupported message type"}]'
            end
            || '}]'
        ) as body
    from messages
    where author = 'customer'
),

edits as (
    select
        null::bigint as message,
        'edit' as kind,
        (sent_at + 40) * 1000000 + lateness(message, 'e') as received_us,
        envelope(
            'messages',
            number,
            contacts(person, sent_at + 40) || '"messages":[{' || person_members(person, sent_at + 40, 'from', 'from_user_id')
            || '"id":"' || wamid_of(message + 13) || '","timestamp":"' || (sent_at + 40)
            || '","type":"edit","edit":{"original_message_id":"' || wamid_of(message)
            || '","message":{"type":"text","text":{"body":"edited"}}}}]'
        ) as body
    from messages
    where author = 'customer' and draw(message, 'edited') < 0.03
),

reactions as (
    select
        null::bigint as message,
        'reaction' as kind,
        (sent_at + 2) * 1000000 + lateness(message, 'r') as received_us,
        envelope(
            'messages',
            number,
            contacts(person, sent_at + 2) || '"messages":[{' || person_members(person, sent_at + 2, 'from', 'from_user_id')
            || '"id":"' || wamid_of(message + 14) || '","timestamp":"' || (sent_at + 2)
            || '","type":"reaction","reaction":{"message_id":"' || wamid_of(message) || '","emoji":"\ud83d\udc4d"}}]'
        ) as body
    from messages
    where author = 'customer' and draw(message, 'reaction') < 0.05
),

-- sent from elsewhere: all that is ever heard of it is that it was read
unknown_sends as (
    select
        message + 15 as message,
        'unknown' as kind,
        (sent_at + 2) * 1000000 + lateness(message, 'u') as received_us,
        envelope(
            'messages',
            number,
            '"statuses":[{' || person_members(person, sent_at + 2, 'recipient_id', 'recipient_user_id')
            || '"id":"' || wamid_of(message + 15) || '","status":"read","timestamp":"' || (sent_at + 2) || '"}]'
        ) as body
    from messages
    where author = 'customer' and draw(message, 'elsewhere') < 0.01
),

echoes as (
    select
        message,
        'agent' as kind,
        sent_at * 1000000 + lateness(message, 'm') as received_us,
        envelope(
            'smb_message_echoes',
            number,
            '"message_echoes":[{"from":"9661' || right(number, 8) || '",' || person_members(person, sent_at, 'to', 'to_user_id')
            || '"id":"' || wamid_of(message) || '","timestamp":"' || sent_at || '","type":"text","text":{"body":"ok"}}]'
        ) as body
    from messages
    where is_echo
),

-- a quarter is never read, as far as anybody hears
states as (
    select
        *,
        unnest(
            case
                when is_failed then [{'status': 'failed', 'delay': 2}]
                when draw(message, 'unread') < 0.25 then [{'status': 'sent', 'delay': 0}, {'status': 'delivered', 'delay': 3}]
                else [
                    {'status': 'sent', 'delay': 0},
                    {'status': 'delivered', 'delay': 3},
                    {'status': 'read', 'delay': between_draw(message, 'read', 5, 4000)}
                ]
            end
        ) as state
    from messages
    where author <> 'customer' and not is_echo
),

status_items as (
    select
        message,
        author,
        number,
        state.status,
        state.delay,
        sent_at + state.delay as happened_at,
        draw(message, 'together') < 0.05 as is_told_together,
        '{' || person_members(person, sent_at, 'recipient_id', 'recipient_user_id')
        || '"id":"' || wamid_of(message) || '","status":"' || state.status || '","timestamp":"' || (sent_at + state.delay)
        || '","biz_opaque_callback_data":"' || tag || '"'
        || case state.status
            when 'failed' then ',"errors":[{"code":131026,"title":"Message undeliverable"}]'
            when 'sent'
                then
                    ',"pricing":{"billable":' || (author = 'automation') || ',"pricing_model":"PMP","type":"'
                    || case when author = 'automation' then 'regular' else 'free_customer_service' end || '","category":"'
                    || case when tag like 'campaign%' then 'marketing' else 'service' end || '"}'
            else ''
        end || '}' as item
    from states
),

single_statuses as (
    select
        message,
        author as kind,
        happened_at * 1000000 + lateness(message * 4 + delay % 4, status) as received_us,
        envelope('messages', number, '"statuses":[' || item || ']') as body
    from status_items
    where not is_told_together
),

-- several in one POST, the last one first
joint_statuses as (
    select
        message,
        any_value(author) as kind,
        (max(happened_at) + 5) * 1000000 + lateness(message, 't') as received_us,
        envelope('messages', any_value(number), '"statuses":[' || string_agg(item, ',' order by delay desc) || ']') as body
    from status_items
    where is_told_together
    group by message
),

moves as (
    select
        null::bigint as message,
        'move' as kind,
        moves_at(person) * 1000000 + lateness(person, 'moves') as received_us,
        envelope(
            'user_id_update',
            '100000000001',
            '"user_id_update":[{"user_id":{"previous":"' || user_of(person * 2 + 1) || '","current":"' || user_of(person * 2 + 2)
            || '"},"wa_id":"' || phone_of(person * 2 + 2) || '","timestamp":"' || moves_at(person) || '"}]'
        ) as body
    from range(0, known_by(getvariable('end_talk'))) as people (person)
    where moves_at(person) >= getvariable('block_begins_at') and moves_at(person) < getvariable('block_ends_at')
)

select * from customer_messages
union all
select * from edits
union all
select * from reactions
union all
select * from unknown_sends
union all
select * from echoes
union all
select * from single_statuses
union all
select * from joint_statuses
union all
select * from moves;

-- with what really arrives besides: two in a hundred a second time, five in ten thousand also cut short
insert into waiting
select message, kind, 'first' as delivery, received_us, body
from told

union all

select
    message,
    kind,
    'repeat' as delivery,
    received_us + [0, 1, 30, 3600, 86400][1 + cast(hash(getvariable('seed'), body, 'when') % 5 as bigint)] * cast(1000000 as bigint) as received_us,
    body
from told
where hash(getvariable('seed'), body, 'repeat') % 1000 < 20

union all

select null as message, kind, 'cut' as delivery, received_us, left(body, length(body) // 2) as body
from told
where hash(getvariable('seed'), body, 'cut') % 10000 < 5;
