-- By what id an inbox knows a contact: digits of a phone, or a business-scoped id; with the phone shown beside it.
with listed as (
    select
        *,
        from_json(item, '{"contact_inboxes":["JSON"]}').contact_inboxes as rows
    from items
    where item_kind = 'contact' and try_cast((item ->> '$.id') as bigint) is not null
),

opened as (
    select
        * exclude (rows),
        unnest(rows) as contact_inbox,
        generate_subscripts(rows, 1) as row_number
    from listed
),

told as (
    select
        workspace, landing_file, landing_line, received_at,
        item_number * 1000 + row_number as position,
        item_account as account,
        coalesce(
            received_at, sane_instant(item -> '$.last_activity_at'), sane_instant(item -> '$.created_at')
        ) as observed_at,
        (item ->> '$.id') as contact_id,
        (item ->> '$.phone_number') as phone_number,
        coalesce((contact_inbox ->> '$.inbox.id'), (contact_inbox ->> '$.inbox_id')) as inbox_id,
        (contact_inbox ->> '$.source_id') as source_id
    from opened

    union all by name

    select
        workspace, landing_file, landing_line, received_at, position, account, observed_at,
        coalesce((conversation ->> '$.meta.sender.id'), (conversation ->> '$.contact_inbox.contact_id')) as contact_id,
        (conversation ->> '$.meta.sender.phone_number') as phone_number,
        coalesce((conversation ->> '$.contact_inbox.inbox_id'), (conversation ->> '$.inbox_id')) as inbox_id,
        coalesce(
            (conversation ->> '$.contact_inbox.source_id'),
            -- a page shows it only around its messages, which may belong to another conversation of a merge
            case
                when coalesce((conversation ->> '$.messages[0].conversation_id'), conversation_id) = conversation_id
                    then (conversation ->> '$.messages[0].conversation.contact_inbox.source_id')
            end
        ) as source_id
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
