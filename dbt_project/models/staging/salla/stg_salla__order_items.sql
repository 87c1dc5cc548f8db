-- Sightings of order lines; when they were seen is what their order or answer says.
with source as (
    select * from {{ source('salla', 'order_items') }}
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
        s.shape,
        s.event,
        s.order_id,
        s.page,
        s.position - s.position % 10000 as order_position,
        s.item_id,
        s.product_id,
        s.product_name,
        s.sku,
        s.quantity,
        s.line_total,
        s.price_without_tax,
        s.line_discount,
        s.line_tax,
        s.currency,
        {{ instant_of_local('cast(s.told_local as timestamp)', 'coalesce(s.told_zone, w.timezone)') }} as told_at
    from source as s
    inner join workspaces as w
        on s.workspace = w.workspace
)

select
    *,
    coalesce(told_at, received_at) as observed_at
from in_time
