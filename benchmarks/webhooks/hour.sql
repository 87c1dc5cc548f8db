-- Besides what the hour itself brings: states of old messages, and a link that makes two people one.
insert into waiting
select
    null::bigint as message,
    'state of old' as kind,
    'first' as delivery,
    (getvariable('ends_at') + between_draw(message, 'now', 10, 3000)) * 1000000 as received_us,
    envelope(
        'messages',
        number,
        '"statuses":[{' || person_members(person, sent_at, 'recipient_id', 'recipient_user_id')
        || '"id":"' || wamid_of(message) || '","status":"read","timestamp":"' || getvariable('ends_at')
        || '","biz_opaque_callback_data":"' || tag || '"}]'
    ) as body
from messages
where author = 'agent' and not is_echo and not is_failed and draw(message, 'unread') < 0.25
order by message
limit 100;

insert into waiting
with settled as (
    select person
    from range(known_by(getvariable('rush_talk')) // 100 + 1, known_by(getvariable('rush_talk'))) as people (person)
    where draw(person, 'shape') >= 0.15
    order by person
    limit 2
)

select
    null::bigint as message,
    'link' as kind,
    'first' as delivery,
    (getvariable('ends_at') + 1800) * 1000000 as received_us,
    envelope(
        'user_id_update',
        '100000000001',
        '"user_id_update":[{"user_id":{"previous":"' || user_of(min(person) * 2 + 1) || '","current":"' || user_of(max(person) * 2 + 1)
        || '"},"wa_id":"' || phone_of(max(person) * 2 + 1) || '","timestamp":"' || (getvariable('ends_at') + 1799) || '"}]'
    ) as body
from settled;
