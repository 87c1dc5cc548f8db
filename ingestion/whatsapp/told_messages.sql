-- Everything that stands where messages stand, whatever list it came in.
create temp table told_messages as
with history_chunks as (
    select *, item as chunk from items_of('history', '"JSON"')
),

history_threads as (
    select * exclude (item, item_number, chunk), unnest(from_json(chunk, '{"threads":["JSON"]}').threads) as thread
    from history_chunks
),

history_items as (
    select
        *,
        (thread ->> '$.id') as thread_phone,
        unnest(from_json(thread, '{"messages":["JSON"]}').messages) as history_item,
        generate_subscripts(from_json(thread, '{"messages":["JSON"]}').messages, 1) as item_number
    from history_threads
),

together as (
    select
        *,
        'message' as item_kind,
        is_object(item.id, body, entry_number, change_number, 'messages', item_number) as is_object,
        null::varchar as thread_phone
    from items_of('messages', getvariable('message_shape'))
    union all by name
    select
        *,
        'echo' as item_kind,
        is_object(item.id, body, entry_number, change_number, 'message_echoes', item_number) as is_object,
        null::varchar as thread_phone
    from items_of('message_echoes', getvariable('message_shape'))
    union all by name
    select
        * exclude (thread, history_item),
        from_json(history_item, getvariable('message_shape')) as item,
        'history' as item_kind,
        json_type(history_item) is not distinct from 'OBJECT' as is_object
    from history_items
),

timed as (
    select *, time_of(item.timestamp) as happened_at from together
),

judged as (
    select
        *,
        item_problem(item_kind, is_object, item.id, happened_at, received_at, phone_number_id, null) as problem
    from timed
)

select
    document_number,
    workspace,
    landing_file,
    landing_line,
    position_of(entry_number, change_number, item_number) as position,
    received_at,
    waba_id,
    phone_number_id,
    display_phone_number,
    field,
    item_kind as origin,
    item.id as wamid,
    happened_at as sent_at,
    item.type as message_type,
    -- a business's own words in history and echoes: `from` is then the business
    (item_kind = 'echo' or (item_kind = 'history' and item."from" is distinct from thread_phone)) as is_from_business,
    case
        when item_kind = 'echo' then item."to"
        when item_kind = 'history' then thread_phone
        else item."from"
    end as customer_phone,
    case when item_kind = 'echo' then item.to_user_id else item.from_user_id end as customer_user_id,
    item.group_id as group_id,
    length(coalesce(
        item.text.body, item.image.caption, item.video.caption, item.document.caption,
        item.button.text, item.interactive.button_reply.title, item.interactive.list_reply.title
    )) as text_length,
    item.context.id as reply_to_wamid,
    coalesce(item.edit.original_message_id, item.revoke.original_message_id, item.reaction.message_id) as target_wamid,
    item.history_context.status as history_status,
    item.referral.source_id as referral_source_id,
    item.referral.source_type as referral_source_type,
    try_cast(item.errors[1].code as integer) as error_code,
    case when item.type = 'system' then item.system end as notice,
    problem,
    case when problem is not null or item_kind = 'history'
        then item_path_of(entry_number, change_number, item_kind, item_number)
    end as item_path
from judged;
