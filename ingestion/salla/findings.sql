insert into findings
select
    workspace,
    landing_file,
    landing_line,
    null,
    'a webhook without an event'
from answers
where is_webhook and event is null;

insert into findings
select
    workspace,
    landing_file,
    landing_line,
    coalesce(item_path, object_kind),
    case
        when json_type(object) is distinct from 'OBJECT' then object_kind || ' is not an object'
        else object_kind || ' without an id'
    end as reason
from objects
where
    object_kind not in ('other', 'error', 'empty', 'secret')
    and (json_type(object) is distinct from 'OBJECT' or id_of(object -> '$.id') is null);

create temp table readable as
select
    o.*,
    id_of(o.object -> '$.id') as object_id
from objects as o
where
    o.object_kind in ('other', 'error', 'empty', 'secret')
    or (json_type(o.object) = 'OBJECT' and id_of(o.object -> '$.id') is not null);

-- kept, but a part of it says nothing we can read
insert into findings
select
    workspace,
    landing_file,
    landing_line,
    coalesce(item_path, object_kind) || '.date',
    object_kind || ' with an unreadable date'
from readable
where
    object_kind in ('order', 'invoice')
    and json_type(object -> '$.date') <> 'NULL'
    and date_of(object -> '$.date').local is null;

insert into findings
select
    workspace,
    landing_file,
    landing_line,
    coalesce(item_path, object_kind) || '.total',
    object_kind || ' with an unreadable total'
from readable
where
    object_kind in ('order', 'invoice', 'cart', 'transaction')
    and json_type(coalesce((object -> '$.amounts.total'), (object -> '$.total'))) not in ('NULL')
    and coalesce((object -> '$.amounts.total'), (object -> '$.total')) <> '{}'::json
    and amount_of(coalesce((object -> '$.amounts.total'), (object -> '$.total'))) is null;
