-- One row per change of a delivery, entry[] × changes[], with how many items each of its lists has.
create temp table changes as
with deliveries as (
    select
        document_number,
        -- BOOLEAN, for what the items hold does not matter here; contacts are short, and many deliveries have one
        from_json(
            body,
            delivery_shape(
                '{"metadata":{"phone_number_id":"VARCHAR"},"messages":["BOOLEAN"],"statuses":["BOOLEAN"],'
                || '"message_echoes":["BOOLEAN"],"history":["BOOLEAN"],"user_id_update":["BOOLEAN"],'
                || '"contacts":[' || getvariable('contact_shape') || '],'
                || '"state_sync":["BOOLEAN"],"user_preferences":["BOOLEAN"],"errors":["BOOLEAN"]}'
            )
        ).entry as entries
    from documents
    where kind <> 'graph' and kind not like 'GET %'
),

entries as (
    select
        document_number,
        unnest(entries) as entry,
        generate_subscripts(entries, 1) as entry_number
    from deliveries
),

listed as (
    select
        document_number,
        entry_number,
        entry.id as waba_id,
        entry.time as entry_time,
        unnest(entry.changes) as change,
        generate_subscripts(entry.changes, 1) as change_number
    from entries
)

select
    document_number,
    entry_number,
    change_number,
    waba_id,
    entry_time,
    change.field as field,
    change.value.metadata.phone_number_id as phone_number_id,
    {
        'messages': len(change.value.messages),
        'statuses': len(change.value.statuses),
        'message_echoes': len(change.value.message_echoes),
        'history': len(change.value.history),
        'user_id_update': len(change.value.user_id_update),
        'state_sync': len(change.value.state_sync),
        'user_preferences': len(change.value.user_preferences),
        'errors': len(change.value.errors)
    } as items,
    change.value.contacts as contacts
from listed;

-- The items of one list of the changes' values, each on its own, with its place in the delivery.
create temp macro items_of(list_name, item_shape) as table
with deliveries as (
    select
        d.document_number,
        d.workspace,
        d.landing_file,
        d.landing_line,
        d.received_at,
        d.body,
        from_json(
            d.body,
            delivery_shape(
                '{"metadata":{"phone_number_id":"VARCHAR","display_phone_number":"VARCHAR"},"' || list_name || '":[' || item_shape || ']}'
            )
        ).entry as entries
    from documents as d
    where d.document_number in (select c.document_number from changes as c where struct_extract(c.items, list_name) > 0)
),

entries as (
    select
        * exclude (entries),
        unnest(entries) as entry,
        generate_subscripts(entries, 1) as entry_number
    from deliveries
),

listed as (
    select
        * exclude (entry),
        entry.id as waba_id,
        unnest(entry.changes) as change,
        generate_subscripts(entry.changes, 1) as change_number
    from entries
)

select
    * exclude (change),
    change.field as field,
    change.value.metadata.phone_number_id as phone_number_id,
    change.value.metadata.display_phone_number as display_phone_number,
    unnest(struct_extract(change.value, list_name)) as item,
    generate_subscripts(struct_extract(change.value, list_name), 1) as item_number
from listed;
