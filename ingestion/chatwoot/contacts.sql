-- One row per sighting of a contact: in a page, in its own webhooks, as the other side of a conversation.
with told as (
    select
        workspace, landing_file, landing_line, received_at,
        item_number * 1000 as position,
        item_account as account,
        event,
        received_at as observed_at,
        item as contact
    from items
    where item_kind = 'contact'

    union all by name

    select
        workspace, landing_file, landing_line, received_at, position, account, event, observed_at,
        (conversation -> '$.meta.sender') as contact
    from readable_conversations

    union all by name

    select
        workspace, landing_file, landing_line, received_at,
        1 as position,
        account,
        event,
        received_at as observed_at,
        (body -> '$.meta.contact') as contact
    from calls
    where resource = 'messages'
)

select
    workspace,
    landing_file,
    landing_line,
    position,
    received_at,
    account,
    (contact ->> '$.id') as contact_id,
    event,
    coalesce(
        observed_at, sane_instant(contact -> '$.last_activity_at'), sane_instant(contact -> '$.created_at')
    ) as observed_at,
    (contact ->> '$.name') as contact_name,
    phone_digits(contact ->> '$.phone_number') as phone,
    (contact ->> '$.email') as email,
    (contact ->> '$.identifier') as identifier,
    coalesce(
        (contact ->> '$.additional_attributes.social_whatsapp_user_name'),
        (contact ->> '$.additional_attributes.username')
    ) as username,
    (contact ->> '$.custom_attributes.salla_customer_id') as salla_customer_id,
    sane_instant(contact -> '$.created_at') as created_at
from told
where try_cast((contact ->> '$.id') as bigint) is not null
