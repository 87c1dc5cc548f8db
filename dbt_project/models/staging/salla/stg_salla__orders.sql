-- Sightings of orders, their times as instants. An event tells of its own moment, details of their last change, a list
-- of when it was received.
with source as (
    select * from {{ source('salla', 'orders') }}
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
        s.reference_id,
        s.cart_id,
        s.status_id,
        case
            when s.event in ('order.cancelled', 'order.canceled') then 'canceled'
            when lower(s.status_slug) = 'cancelled' then 'canceled'
            else lower(s.status_slug)
        end as status_slug,
        s.custom_status_id,
        s.is_draft,
        s.is_price_quote,
        s.payment_method,
        s.source,
        s.source_type,
        s.utm_source,
        s.utm_campaign,
        s.total,
        s.currency,
        s.sub_total,
        s.shipping_cost,
        s.cod_cost,
        s.tax,
        s.base_currency,
        s.exchange_currency,
        s.exchange_rate,
        s.customer_id,
        s.customer_city,
        s.items_state,
        s.items_told,
        {{ instant_of_local('cast(s.ordered_local as timestamp)', 'coalesce(s.ordered_zone, w.timezone)') }}
            as ordered_at,
        {{ instant_of_local('cast(s.updated_local as timestamp)', 'coalesce(s.updated_zone, w.timezone)') }}
            as updated_at,
        {{ instant_of_local('cast(s.told_local as timestamp)', 'coalesce(s.told_zone, w.timezone)') }} as told_at
    from source as s
    inner join workspaces as w
        on s.workspace = w.workspace
)

select
    *,
    case
        when event is not null then coalesce(told_at, updated_at, received_at, ordered_at)
        else coalesce(updated_at, received_at, ordered_at)
    end as observed_at
from in_time
