-- One row per refund of a counted order, in the store's currency.
with refunds as (
    select * from {{ ref('int_salla__refunds') }}
),

stores as (
    select * from {{ ref('stg_salla__stores') }}
)

select
    {{ keyed_hash(["'refund'", 'refunds.workspace', 'refunds.refund_key']) }} as refund_id,
    {{ keyed_hash(["'order'", 'refunds.workspace', 'refunds.order_id']) }} as order_id,
    refunds.workspace,
    refunds.refunded_at,
    cast({{ local_timestamp('refunds.refunded_at', 'stores.timezone') }} as date) as refunded_local_date,
    refunds.amount,
    stores.currency,
    refunds.evidence
from refunds
inner join stores
    on refunds.workspace = stores.workspace
