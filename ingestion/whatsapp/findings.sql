insert into findings
select
    d.workspace,
    d.landing_file,
    d.landing_line,
    null,
    'not a WhatsApp delivery: no entry[].changes[]'
from documents as d
where
    d.kind <> 'graph' and d.kind not like 'GET %'
    and not exists (
        select 1
        from changes as c
        where c.landing_file = d.landing_file and c.landing_line = d.landing_line and c.value is not null
    );

insert into findings
select
    workspace,
    landing_file,
    landing_line,
    item_path,
    case
        when json_type(item) is distinct from 'OBJECT' then item_kind || ' is not an object'
        when (item ->> '$.id') is null then item_kind || ' without an id'
        when happened_at is null then item_kind || ' without a readable timestamp'
        when happened_at < timestamptz '2009-01-01' then item_kind || ' dated before WhatsApp existed'
        when happened_at > received_at + interval 1 day then item_kind || ' dated more than a day after it was received'
        when phone_number_id is null then item_kind || ' without metadata.phone_number_id'
        when item_kind = 'status' and (item ->> '$.status') is null then 'status without a status'
    end as reason
from items
where
    item_kind in ('message', 'status', 'echo', 'history')
    and (
        json_type(item) is distinct from 'OBJECT'
        or (item ->> '$.id') is null
        or happened_at is null
        or happened_at < timestamptz '2009-01-01'
        or happened_at > received_at + interval 1 day
        or phone_number_id is null
        or (item_kind = 'status' and (item ->> '$.status') is null)
    );

insert into findings
select
    workspace,
    landing_file,
    landing_line,
    item_path,
    'user_id_update without a readable timestamp' as reason
from items
where item_kind = 'user_id_update' and happened_at is null;

create temp table readable_items as
select i.*
from items as i
where not exists (
    select 1
    from findings as f
    where f.landing_file = i.landing_file and f.landing_line = i.landing_line and f.item_path = i.item_path
);
