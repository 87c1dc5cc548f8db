-- One row per change of a delivery: entry[] × changes[].
create temp table entries as
select
    d.workspace,
    d.landing_file,
    d.landing_line,
    d.received_at,
    e.entry,
    e.entry_number
from (
    select
        *,
        from_json(body, '{"entry":["JSON"]}').entry as entries
    from documents
    where kind <> 'graph' and kind not like 'GET %'
) as d,
    unnest(d.entries) with ordinality as e (entry, entry_number);

create temp table changes as
select
    e.workspace,
    e.landing_file,
    e.landing_line,
    e.received_at,
    (e.entry ->> '$.id') as waba_id,
    try_cast((e.entry ->> '$.time') as bigint) as entry_time,
    e.entry_number,
    c.change_number,
    (c.change ->> '$.field') as field,
    (c.change -> '$.value') as value,
    (c.change ->> '$.value.metadata.phone_number_id') as phone_number_id,
    (c.change ->> '$.value.metadata.display_phone_number') as display_phone_number
from (
    select
        *,
        from_json(entry, '{"changes":["JSON"]}').changes as changes
    from entries
) as e,
    unnest(e.changes) with ordinality as c (change, change_number);
