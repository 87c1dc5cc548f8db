-- Which call a line answered, or which event it told, and the data it carried.
create temp table answers as
with paths as (
    select
        *,
        case when lower(kind) = 'webhook' then 'webhook' else upper(split_part(trim(kind), ' ', 1)) end as method,
        trim(regexp_replace(trim(kind), '^[A-Za-z]+\s*', '')) as target
    from documents
),

calls as (
    select
        * exclude (target),
        method
        || ' '
        || regexp_replace(
            rtrim(
                '/' || ltrim(regexp_replace(regexp_replace(regexp_extract(target, '^[^?#]*', 0), '^https?://[^/]+', ''), '^/?admin/v\d+', ''), '/'),
                '/'
            ),
            '/(\d+|\{[^/]*\})',
            '/{id}',
            'g'
        ) as call,
        regexp_extract(target, '\?([^#]*)', 1) as query,
        -- the order a call was about stands in its path or in its query
        coalesce(
            nullif(regexp_extract(target, '[?&]order_id=(\d+)', 1), ''),
            nullif(regexp_extract(target, '/orders/(\d+)', 1), '')
        ) as asked_order_id,
        coalesce(try_cast(nullif(regexp_extract(target, '[?&]page=(\d{1,6})', 1), '') as integer), 1) as page
    from paths
)

select
    workspace,
    landing_file,
    landing_line,
    received_at,
    body,
    method = 'WEBHOOK' or lower(kind) = 'webhook' as is_webhook,
    case when lower(kind) in ('webhook', 'tombstone') then null else call end as call,
    asked_order_id,
    query,
    page,
    case
        when lower(kind) = 'webhook' then lower(text_of(body -> '$.event'))
        -- our own word: a pull found that something is no longer there
        when lower(kind) = 'tombstone' then coalesce(lower(text_of(body -> '$.entity')), 'unknown') || '.tombstone'
    end as event,
    id_of(body -> '$.merchant') as merchant_id,
    case when lower(kind) = 'tombstone' then (body -> '$.gone_at') else (body -> '$.created_at') end as told,
    case
        when lower(kind) = 'error' then true
        when lower(kind) in ('webhook', 'tombstone') then false
        else
            coalesce(flag_of(body -> '$.success') = false, false)
            or coalesce(number_of(body -> '$.status') >= 400, false)
            or coalesce(json_type(body -> '$.error') in ('VARCHAR', 'OBJECT'), false)
    end as is_error,
    case
        when json_type(body) = 'ARRAY' then body
        when json_exists(body, '$.data') then (body -> '$.data')
        else body
    end as data
from calls;
