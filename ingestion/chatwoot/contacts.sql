-- One row per sighting of a contact: in a page, in its own webhooks, as the other side of a conversation.
with shown as (
    select
        workspace, landing_file, landing_line, received_at,
        item_number * 1000 as position,
        item_account as account,
        event,
        received_at as seen_at,
        item as contact
    from items
    where item_kind = 'contact'

    union all by name

    select
        workspace, landing_file, landing_line, received_at, position, account, event,
        observed_at as seen_at,
        told.meta.sender as contact
    from readable_conversations

    union all by name

    select
        workspace, landing_file, landing_line, received_at,
        1 as position,
        account,
        event,
        received_at as seen_at,
        (body -> '$.meta.contact') as contact
    from calls
    where resource = 'messages'
),

opened as (
    select
        * exclude (contact),
        from_json(
            contact,
            '{"id":"VARCHAR","name":"VARCHAR","phone_number":"VARCHAR","email":"VARCHAR","identifier":"VARCHAR",'
            || '"additional_attributes":{"social_whatsapp_user_name":"VARCHAR","username":"VARCHAR"},'
            || '"custom_attributes":{"salla_customer_id":"VARCHAR"},"created_at":"VARCHAR","last_activity_at":"VARCHAR"}'
        ) as told
    from shown
)

select
    workspace,
    landing_file,
    landing_line,
    position,
    received_at,
    account,
    told.id as contact_id,
    event,
    coalesce(seen_at, instant(told.last_activity_at), instant(told.created_at)) as observed_at,
    told.name as contact_name,
    phone_digits(told.phone_number) as phone,
    told.email as email,
    told.identifier as identifier,
    coalesce(told.additional_attributes.social_whatsapp_user_name, told.additional_attributes.username) as username,
    told.custom_attributes.salla_customer_id as salla_customer_id,
    instant(told.created_at) as created_at
from opened
where try_cast(told.id as bigint) is not null
