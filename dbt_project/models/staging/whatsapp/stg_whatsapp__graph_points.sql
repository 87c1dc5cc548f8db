-- Meta's own counts and costs, one row per stretch of time and kind: the newest answer that told of it. All are
-- approximate; a kind told twice in one answer counts once. A hidden cost is null.
with source as (select * from {{ source('whatsapp', 'graph_points') }}),

ordered as (
    select
        *,
        row_number() over (
            partition by
                workspace, business_account, metric, starts_at, ends_at,
                phone_number, country, tier, category, billing_type, direction
            order by received_at desc nulls last, landing_file desc, landing_line desc, volume desc nulls last, position
        ) as age
    from source
)

select
    workspace,
    business_account,
    metric,
    starts_at,
    ends_at,
    phone_number,
    country,
    tier,
    category,
    billing_type,
    direction,
    sent,
    delivered,
    volume,
    cost,
    received_at
from ordered
where age = 1
