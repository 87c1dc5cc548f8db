-- Points of Graph's own counts and costs: approximate, unsorted, one key told more than once; the newest answer counts.
-- What its call asked for (half hours, days, months) is in `call`. A cost hidden from the token is null, not 0.
with answers as (
    select
        *,
        (body ->> '$.id') as business_account,
        from_json(
            body,
            '{"analytics":{"granularity":"VARCHAR","data_points":["JSON"]},'
            || '"pricing_analytics":{"data":[{"data_points":["JSON"]}],"data_points":["JSON"]},'
            || '"conversation_analytics":{"data":[{"data_points":["JSON"]}],"data_points":["JSON"]}}'
        ) as told
    from documents
    where kind = 'graph' or kind like 'GET %'
),

lists as (
    select * exclude (told), 'messages' as metric, told.analytics.data_points as points from answers
    union all by name
    select
        * exclude (told),
        'pricing' as metric,
        list_concat(flatten(list_transform(told.pricing_analytics.data, lambda x: x.data_points)), told.pricing_analytics.data_points)
            as points
    from answers
    union all by name
    select
        * exclude (told),
        'conversations' as metric,
        list_concat(
            flatten(list_transform(told.conversation_analytics.data, lambda x: x.data_points)),
            told.conversation_analytics.data_points
        ) as points
    from answers
),

points as (
    select * exclude (points), unnest(points) as item, generate_subscripts(points, 1) as position from lists
),

opened as (
    select
        * exclude (item),
        from_json(
            item,
            '{"start":"VARCHAR","end":"VARCHAR","phone_number":"VARCHAR","country":"VARCHAR","tier":"VARCHAR",'
            || '"pricing_type":"VARCHAR","pricing_category":"VARCHAR","conversation_type":"VARCHAR",'
            || '"conversation_category":"VARCHAR","conversation_direction":"VARCHAR","sent":"VARCHAR","delivered":"VARCHAR",'
            || '"volume":"VARCHAR","conversation":"VARCHAR","cost":"VARCHAR"}'
        ) as told
    from points
)

select
    workspace,
    landing_file,
    landing_line,
    position::bigint as position,
    received_at,
    coalesce(business_account, account) as business_account,
    kind as call,
    metric,
    to_timestamp(try_cast(told."start" as bigint)) as starts_at,
    to_timestamp(try_cast(told."end" as bigint)) as ends_at,
    nullif(regexp_replace(told.phone_number, '[^0-9]', '', 'g'), '') as phone_number,
    told.country as country,
    told.tier as tier,
    lower(coalesce(told.pricing_category, told.conversation_category)) as category,
    lower(coalesce(told.pricing_type, told.conversation_type)) as billing_type,
    lower(told.conversation_direction) as direction,
    try_cast(told.sent as bigint) as sent,
    try_cast(told.delivered as bigint) as delivered,
    try_cast(coalesce(told.volume, told.conversation) as bigint) as volume,
    try_cast(told.cost as decimal(18, 6)) as cost
from opened
where try_cast(told."start" as bigint) between 1230768000 and 4102444800
