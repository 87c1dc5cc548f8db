-- The store's statuses, each once, as last seen. Names are the merchant's own words; the slug is what counts.
with source as (
    select * from {{ source('salla', 'order_statuses') }}
),

ranked as (
    select
        *,
        row_number() over (
            partition by workspace, status_id
            order by received_at desc nulls last, landing_file desc, object_hash desc
        ) as newest
    from source
)

select
    workspace,
    status_id,
    status_name,
    status_type,
    case when lower(slug) = 'cancelled' then 'canceled' else lower(slug) end as status_slug,
    original_id,
    parent_id
from ranked
where newest = 1
