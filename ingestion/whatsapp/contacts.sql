-- Who was behind a message or a status: a phone and an id seen together are what identity is made of.
with told as (
    select document_number, position, sent_at as happened_at from readable_messages
    union all
    select document_number, position, happened_at from told_statuses where problem is null
    union all
    select document_number, position, happened_at
    from other_items
    where item_kind <> 'user_id_update' or happened_at is not null
),

told_at as (
    select document_number, position // 100000 as change_position, min(happened_at) as seen_at
    from told
    where document_number in (select c.document_number from changes as c where len(c.contacts) > 0)
    group by document_number, position // 100000
),

listed as (
    select
        * exclude (items, contacts),
        unnest(contacts) as item,
        generate_subscripts(contacts, 1) as item_number
    from changes
)

select
    d.workspace,
    d.landing_file,
    d.landing_line,
    position_of(i.entry_number, i.change_number, i.item_number) as position,
    d.received_at,
    i.phone_number_id,
    t.seen_at,
    i.item.wa_id as phone,
    i.item.user_id as user_id,
    i.item.profile.name as profile_name,
    i.item.profile.username as username
from listed as i
inner join documents as d on i.document_number = d.document_number
inner join told_at as t
    on
        i.document_number = t.document_number
        and position_of(i.entry_number, i.change_number, i.item_number) // 100000 = t.change_position
where
    t.seen_at is not null
    and is_object(
        coalesce(i.item.wa_id, i.item.user_id, i.item.profile.name, i.item.profile.username),
        d.body, i.entry_number, i.change_number, 'contacts', i.item_number
    )
