-- By what id an inbox knows a contact: digits of a phone, or a business-scoped id; with the phone shown beside it.
with listed as (
    select
        *,
        from_json(
            item,
            '{"id":"VARCHAR","phone_number":"VARCHAR","last_activity_at":"VARCHAR","created_at":"VARCHAR",'
            || '"contact_inboxes":[{"source_id":"VARCHAR","inbox_id":"VARCHAR","inbox":{"id":"VARCHAR"}}]}'
        ) as contact
    from items
    where item_kind = 'contact'
),

opened as (
    select
        *,
        unnest(contact.contact_inboxes) as contact_inbox,
        generate_subscripts(contact.contact_inboxes, 1) as place
    from listed
    where try_cast(contact.id as bigint) is not null
),

told as (
    select
        workspace, landing_file, landing_line, received_at,
        item_number * 1000 + place as position,
        item_account as account,
        coalesce(received_at, instant(contact.last_activity_at), instant(contact.created_at)) as observed_at,
        contact.id as contact_id,
        contact.phone_number as phone_number,
        coalesce(contact_inbox.inbox.id, contact_inbox.inbox_id) as inbox_id,
        contact_inbox.source_id as source_id
    from opened

    union all by name

    select
        workspace, landing_file, landing_line, received_at, position, account, observed_at, contact_id,
        contact_phone as phone_number,
        coalesce(told.contact_inbox.inbox_id, told.inbox_id) as inbox_id,
        contact_source_id as source_id
    from readable_conversations
)

select
    workspace,
    landing_file,
    landing_line,
    position::bigint as position,
    received_at,
    account,
    contact_id,
    inbox_id,
    observed_at,
    source_id,
    source_user_id(source_id) as user_id,
    coalesce(phone_digits(phone_number), source_phone(source_id)) as phone
from told
where source_id is not null and contact_id is not null
