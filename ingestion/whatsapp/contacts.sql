-- Who was behind a message or a status: a phone and an id seen together are what identity is made of.
with told_at as (
    select landing_file, landing_line, position // 100000 as change_position, min(happened_at) as seen_at
    from readable_items
    where item_kind <> 'contact'
    group by landing_file, landing_line, position // 100000
)

select
    i.workspace,
    i.landing_file,
    i.landing_line,
    i.position,
    i.received_at,
    i.phone_number_id,
    t.seen_at,
    (i.item ->> '$.wa_id') as phone,
    (i.item ->> '$.user_id') as user_id,
    (i.item ->> '$.profile.name') as profile_name,
    (i.item ->> '$.profile.username') as username
from items as i
inner join told_at as t
    on
        i.landing_file = t.landing_file
        and i.landing_line = t.landing_line
        and i.position // 100000 = t.change_position
where
    t.seen_at is not null
    and i.item_kind = 'contact'
    and json_type(i.item) = 'OBJECT'
