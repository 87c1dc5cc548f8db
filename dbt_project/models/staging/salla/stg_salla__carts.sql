-- Sightings of abandoned carts.
with source as (
    select * from {{ source('salla', 'carts') }}
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
        s.cart_id,
        case when s.event = 'abandoned.cart.purchased' then 'purchased' else s.status end as status,
        s.total,
        s.sub_total,
        s.total_discount,
        s.currency,
        s.coupon_code,
        s.customer_id,
        {{ instant_of_local('cast(s.created_local as timestamp)', 'coalesce(s.created_zone, w.timezone)') }}
            as created_at,
        {{ instant_of_local('cast(s.updated_local as timestamp)', 'coalesce(s.updated_zone, w.timezone)') }}
            as updated_at,
        {{ instant_of_local('cast(s.told_local as timestamp)', 'coalesce(s.told_zone, w.timezone)') }} as told_at
    from source as s
    inner join workspaces as w
        on s.workspace = w.workspace
)

select
    *,
    coalesce(told_at, updated_at, received_at, created_at) as observed_at
from in_time
