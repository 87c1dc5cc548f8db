-- Customers and lines that stand inside other objects.
create temp table customer_parts as
select
    *,
    object_kind as seen_in,
    object_id as seen_in_id,
    object as customer,
    0 as part
from readable
where object_kind = 'customer'

union all by name

select
    *,
    object_kind as seen_in,
    object_id as seen_in_id,
    (object -> '$.customer') as customer,
    1 as part
from readable
where
    object_kind in ('order', 'cart', 'transaction', 'invoice')
    and json_type(object -> '$.customer') = 'OBJECT'

union all by name

-- reviews have the number as an integer without its country code
select
    *,
    'review' as seen_in,
    object_id as seen_in_id,
    (object -> '$.customer') as customer,
    1 as part
from readable
where
    (call like 'GET /reviews%' or event like 'review.%')
    and json_type(object -> '$.customer') = 'OBJECT';

create temp table line_parts as
with holders as (
    select *, list_of(object -> '$.items') as found
    from readable
    where object_kind in ('order', 'cart')
)

select
    * exclude (found, object),
    unnest(found) as line,
    generate_subscripts(found, 1) as line_number
from holders;

insert into findings
select
    workspace,
    landing_file,
    landing_line,
    coalesce(item_path, object_kind) || format('.items[{}]', line_number - 1),
    'a line of an ' || object_kind || ' is not an object'
from line_parts
where json_type(line) is distinct from 'OBJECT';
