-- What is told of people, preferences and failures, beside messages.
create temp table other_items as
with listed as (
    select *, 'user_id_update' as item_kind from items_of('user_id_update', '"JSON"')
    union all by name
    select *, 'state_sync' as item_kind from items_of('state_sync', '"JSON"')
    union all by name
    select *, 'user_preference' as item_kind from items_of('user_preferences', '"JSON"')
    union all by name
    select *, 'error' as item_kind from items_of('errors', '"JSON"')
    union all by name
    select *, 'history_error' as item_kind from items_of('history', '"JSON"') where (item -> '$.errors') is not null
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
    field,
    item_kind,
    item,
    time_of(item ->> '$.timestamp') as happened_at,
    item_path_of(entry_number, change_number, item_kind, item_number) as item_path
from listed;

-- A change in which nothing is told that we know: kept whole. A contact alone tells nothing.
create temp table whole_changes as
with bare as (
    select *
    from changes as c
    where
        coalesce(
            nullif(c.items.messages, 0), nullif(c.items.statuses, 0), nullif(c.items.message_echoes, 0),
            nullif(c.items.user_id_update, 0), nullif(c.items.state_sync, 0), nullif(c.items.user_preferences, 0),
            nullif(c.items.errors, 0)
        ) is null
        -- a history may hold chunks and yet no message
        and not exists (
            select 1
            from told_messages as m
            where
                m.document_number = c.document_number
                and m.position // 100000 = c.entry_number * 1000 + c.change_number
        )
        and not exists (
            select 1
            from other_items as o
            where
                o.document_number = c.document_number
                and o.position // 100000 = c.entry_number * 1000 + c.change_number
        )
)

select
    c.document_number,
    d.workspace,
    d.landing_file,
    d.landing_line,
    position_of(c.entry_number, c.change_number, 0) as position,
    d.received_at,
    c.waba_id,
    c.phone_number_id,
    c.field,
    try_cast(c.entry_time as bigint) as entry_time,
    json_extract(d.body, format('$.entry[{}].changes[{}].value', c.entry_number - 1, c.change_number - 1)) as details
from bare as c
inner join documents as d on c.document_number = d.document_number;

delete from whole_changes where details is null;
