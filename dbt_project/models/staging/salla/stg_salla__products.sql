-- Sightings of products, on their own or inside order lines.
with source as (
    select * from {{ source('salla', 'products') }}
),

workspaces as (
    select * from {{ ref('stg_settings__workspaces') }}
),

in_time as (
    select
        s.workspace,
        s.landing_file,
        s.landing_line,
        s.position,
        s.received_at,
        s.object_hash,
        s.event,
        s.seen_in,
        s.product_id,
        s.product_name,
        s.sku,
        s.product_type,
        case when s.event = 'product.deleted' then 'deleted' else s.status end as status,
        s.is_available,
        s.price,
        s.currency,
        s.category,
        s.brand,
        {{ instant_of_local('cast(s.updated_local as timestamp)', 'coalesce(s.updated_zone, w.timezone)') }}
            as updated_at,
        {{ instant_of_local('cast(s.told_local as timestamp)', 'coalesce(s.told_zone, w.timezone)') }} as told_at
    from source as s
    inner join workspaces as w
        on s.workspace = w.workspace
)

select
    *,
    coalesce(told_at, updated_at, received_at) as observed_at
from in_time
