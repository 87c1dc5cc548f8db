-- Everything that stands in a list inside a change, each on its own, with its place in the delivery.
create temp table items as
with lists as (
    select
        *,
        from_json(
            value,
            '{"messages":["JSON"],"statuses":["JSON"],"message_echoes":["JSON"],"history":["JSON"],'
            || '"user_id_update":["JSON"],"contacts":["JSON"],"state_sync":["JSON"],"user_preferences":["JSON"],"errors":["JSON"]}'
        ) as found
    from changes
),

listed as (
    select *, 'message' as item_kind, unnest(found.messages) as item, generate_subscripts(found.messages, 1) as item_number from lists
    union all by name
    select *, 'status' as item_kind, unnest(found.statuses) as item, generate_subscripts(found.statuses, 1) as item_number from lists
    union all by name
    select *, 'echo' as item_kind, unnest(found.message_echoes) as item, generate_subscripts(found.message_echoes, 1) as item_number from lists
    union all by name
    select *, 'user_id_update' as item_kind, unnest(found.user_id_update) as item, generate_subscripts(found.user_id_update, 1) as item_number from lists
    union all by name
    select *, 'contact' as item_kind, unnest(found.contacts) as item, generate_subscripts(found.contacts, 1) as item_number from lists
    union all by name
    select *, 'state_sync' as item_kind, unnest(found.state_sync) as item, generate_subscripts(found.state_sync, 1) as item_number from lists
    union all by name
    select *, 'user_preference' as item_kind, unnest(found.user_preferences) as item, generate_subscripts(found.user_preferences, 1) as item_number from lists
    union all by name
    select *, 'error' as item_kind, unnest(found.errors) as item, generate_subscripts(found.errors, 1) as item_number from lists
),

history_chunks as (
    select *, unnest(found.history) as chunk, generate_subscripts(found.history, 1) as chunk_number from lists
),

history_threads as (
    select *, unnest(from_json(chunk, '{"threads":["JSON"]}').threads) as thread from history_chunks
),

history_messages as (
    select
        *,
        unnest(from_json(thread, '{"messages":["JSON"]}').messages) as item,
        generate_subscripts(from_json(thread, '{"messages":["JSON"]}').messages, 1) as item_number
    from history_threads
),

together as (
    select *, null::varchar as thread_phone from listed
    union all by name
    select * exclude (chunk, thread, chunk_number), 'history' as item_kind, (thread ->> '$.id') as thread_phone from history_messages
    union all by name
    select * exclude (chunk, chunk_number), 'history_error' as item_kind, chunk as item, chunk_number as item_number, null::varchar as thread_phone
    from history_chunks
    where (chunk -> '$.errors') is not null
)

select
    workspace,
    landing_file,
    landing_line,
    received_at,
    waba_id,
    field,
    phone_number_id,
    display_phone_number,
    item_kind,
    item,
    thread_phone,
    -- the order in which one delivery tells things
    (entry_number * 1000 + change_number) * 100000 + item_number as position,
    format('entry[{}].changes[{}].{}[{}]', entry_number - 1, change_number - 1, item_kind, item_number - 1) as item_path,
    -- seconds as text; a number in an older shape reads the same; what no calendar holds is no time
    to_timestamp(case when seconds between -62135596800 and 253402300799 then seconds end) as happened_at
from (select *, try_cast((item ->> '$.timestamp') as bigint) as seconds from together);
