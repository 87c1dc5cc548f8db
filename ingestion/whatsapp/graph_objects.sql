-- Graph answers: numbers and templates one by one, analytics and errors as they came.
with answers as (
    select
        *,
        from_json(body, '{"data":["JSON"]}').data as listed
    from documents
    where kind = 'graph' or kind like 'GET %'
),

objects as (
    select * exclude (listed, body), unnest(listed) as object, generate_subscripts(listed, 1) as position
    from answers
    union all by name
    -- an answer of no object is one, too: it is accounted for
    select * exclude (listed, body), body as object, 0 as position
    from answers
    where coalesce(len(listed), 0) = 0
)

select
    workspace,
    landing_file,
    landing_line,
    position::bigint as position,
    received_at,
    account,
    kind as call, -- with what was asked for: a field, a time, a granularity
    case
        when (object ->> '$.display_phone_number') is not null then 'phone_number'
        when (object -> '$.components') is not null or (object ->> '$.language') is not null then 'template'
        when (object -> '$.error') is not null then 'error'
        when
            (object -> '$.data_points') is not null
            or (object -> '$.analytics') is not null
            or (object -> '$.pricing_analytics') is not null
            or (object -> '$.conversation_analytics') is not null
            then 'analytics'
        else 'other'
    end as object_kind,
    (object ->> '$.id') as object_id,
    coalesce((object ->> '$.verified_name'), (object ->> '$.name')) as object_name,
    (object ->> '$.status') as status,
    object as details
from objects
