-- One row per order: of each attribute what was observed last before as_of. What a shape does not carry is null in it,
-- and so overwrites nothing. An order seen only later is as it was seen first.
with sightings as (
    select * from {{ ref('stg_salla__orders') }}
),

customers as (
    select * from {{ ref('stg_salla__customers') }}
    where seen_in = 'order'
),

statuses as (
    select * from {{ ref('stg_salla__order_statuses') }}
),

stores as (
    select * from {{ ref('stg_salla__stores') }}
),

status_changes as (
    select * from {{ ref('int_salla__status_changes') }}
),

-- `order.created` and a page tell less of the same second than an event of what changed
placed as (
    select
        sightings.*,
        coalesce(sightings.status_slug, statuses.status_slug) as known_slug,
        customers.phone,
        stores.as_of,
        coalesce(sightings.observed_at < stores.as_of, true) as is_before,
        case
            when sightings.shape = 'list' then 1
            when sightings.shape = 'details' then 3
            when sightings.event = 'order.created' then 2
            when sightings.shape = 'tombstone' then 0
            when sightings.shape = 'shipment_event' then 4
            when sightings.shape = 'webhook' then 5
            else 6
        end as shape_rank
    from sightings
    inner join stores
        on sightings.workspace = stores.workspace
    left join statuses
        on
            sightings.workspace = statuses.workspace
            and sightings.status_id = statuses.status_id
    left join customers
        on
            sightings.workspace = customers.workspace
            and sightings.landing_file = customers.landing_file
            and sightings.landing_line = customers.landing_line
            and sightings.position = customers.position - 1
),

ranked as (
    select
        *,
        row_number() over (
            partition by workspace, order_id
            order by
                is_before asc,
                case when is_before then observed_at end nulls first,
                case when not is_before then observed_at end desc nulls last,
                case when not is_before then -shape_rank else shape_rank end,
                updated_at nulls first,
                object_hash asc,
                landing_file asc,
                landing_line asc
        ) as freshness
    from placed
),

newest as (
    select
        workspace,
        order_id,
        max_by(reference_id, freshness) filter (where reference_id is not null) as reference_id,
        max_by(cart_id, freshness) filter (where cart_id is not null) as cart_id,
        max_by(known_slug, freshness) filter (where known_slug is not null) as status_slug,
        max_by(is_draft, freshness) filter (where is_draft is not null) as is_draft,
        max_by(is_price_quote, freshness) filter (where is_price_quote is not null) as is_price_quote,
        max_by(ordered_at, freshness) filter (where ordered_at is not null) as ordered_at,
        max_by(payment_method, freshness) filter (where payment_method is not null) as payment_method,
        max_by(source, freshness) filter (where source is not null) as source,
        max_by(source_type, freshness) filter (where source_type is not null) as source_type,
        max_by(utm_source, freshness) filter (where utm_source is not null) as utm_source,
        max_by(utm_campaign, freshness) filter (where utm_campaign is not null) as utm_campaign,
        max_by(total, freshness) filter (where total is not null) as order_total,
        max_by(currency, freshness) filter (where total is not null and currency is not null) as order_currency,
        max_by(base_currency, freshness) filter (where exchange_rate is not null and base_currency is not null) as base_currency,
        max_by(exchange_currency, freshness) filter (where exchange_rate is not null and exchange_currency is not null)
            as exchange_currency,
        max_by(exchange_rate, freshness) filter (where exchange_rate is not null) as exchange_rate,
        max_by(customer_id, freshness) filter (where customer_id is not null) as customer_id,
        max_by(customer_city, freshness) filter (where customer_city is not null) as city,
        -- the number the customer had when ordering: later sightings show the one they have by then
        max_by(phone, -freshness) filter (where phone is not null and is_before) as phone_before,
        max_by(phone, freshness) filter (where phone is not null) as phone_after,
        -- gone, unless an answer received after that shows it again
        coalesce(bool_or(event = 'order.deleted' and is_before), false)
        or (
            max(case when shape = 'tombstone' and is_before then told_at end) is not null
            and coalesce(
                max(case when shape in ('list', 'details') and received_at < as_of then received_at end)
                < max(case when shape = 'tombstone' and is_before then told_at end),
                true
            )
        ) as is_told_deleted,
        min(case when event = 'order.created' then told_at end) as created_told_at,
        max(case when is_before then observed_at end) as observed_at,
        count(*) as sightings
    from ranked
    group by workspace, order_id
),

-- since when an order is `restored` without a break
last_other_status as (
    select status_changes.workspace, status_changes.order_id, max(status_changes.changed_at) as last_other_at
    from status_changes
    inner join stores
        on status_changes.workspace = stores.workspace
    where status_changes.status_slug <> 'restored' and status_changes.changed_at < stores.as_of
    group by status_changes.workspace, status_changes.order_id
),

restorations as (
    select status_changes.workspace, status_changes.order_id, min(status_changes.changed_at) as restored_at
    from status_changes
    left join last_other_status
        on
            status_changes.workspace = last_other_status.workspace
            and status_changes.order_id = last_other_status.order_id
    where
        status_changes.status_slug = 'restored'
        and (last_other_status.last_other_at is null or status_changes.changed_at >= last_other_status.last_other_at)
    group by status_changes.workspace, status_changes.order_id
),

-- One unit of the base currency is `rate` units of the exchange currency; either of the two may be the store's.
converted as (
    select
        newest.*,
        stores.currency as store_currency,
        coalesce(newest.order_currency, stores.currency) as known_currency,
        case
            when coalesce(newest.order_currency, stores.currency) = stores.currency then newest.order_total
            when newest.exchange_rate is null or newest.exchange_rate <= 0 then null
            when newest.base_currency = stores.currency and newest.exchange_currency = newest.order_currency
                then cast(round(cast(newest.order_total as double) / newest.exchange_rate, 4) as decimal(18, 4))
            when newest.base_currency = newest.order_currency and newest.exchange_currency = stores.currency
                then cast(round(newest.order_total * newest.exchange_rate, 4) as decimal(18, 4))
        end as store_total
    from newest
    inner join stores
        on newest.workspace = stores.workspace
)

select
    converted.workspace,
    converted.order_id,
    converted.reference_id,
    converted.cart_id,
    converted.ordered_at,
    converted.status_slug,
    coalesce(converted.is_draft, false) as is_draft,
    coalesce(converted.is_price_quote, false)
    or coalesce(converted.status_slug = 'request_quote', false) as is_quotation,
    converted.is_told_deleted or coalesce(converted.status_slug = 'deleted', false) as is_deleted,
    (
        converted.is_told_deleted
        or coalesce(converted.is_draft, false)
        or coalesce(converted.is_price_quote, false)
        or coalesce(
            converted.status_slug in (
                'deleted',
                'request_quote',
                'canceled',
                'payment_pending',
                'waiting_for_payment_confirmation',
                'payment_failed'
            ),
            false
        )
    ) = false as is_counted,
    case when converted.status_slug = 'restored' then restorations.restored_at end as restored_at,
    converted.payment_method,
    converted.source,
    converted.source_type,
    converted.utm_source,
    converted.utm_campaign,
    converted.city,
    converted.customer_id,
    coalesce(converted.phone_before, converted.phone_after) as phone,
    converted.order_total,
    converted.known_currency as order_currency,
    converted.store_currency,
    converted.store_total,
    converted.created_told_at,
    converted.observed_at,
    converted.sightings
from converted
left join restorations
    on
        converted.workspace = restorations.workspace
        and converted.order_id = restorations.order_id
