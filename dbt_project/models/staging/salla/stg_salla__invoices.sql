-- Sightings of invoices and credit notes. The type comes in English or in Arabic.
with source as (
    select * from {{ source('salla', 'invoices') }}
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
        s.invoice_id,
        s.invoice_number,
        s.order_id,
        s.invoice_type,
        (lower(s.invoice_type) like '%credit%' or s.invoice_type like '%دائن%') as is_credit_note,
        s.has_clock_time,
        s.total,
        s.currency,
        {{ instant_of_local('cast(s.issued_local as timestamp)', 'coalesce(s.issued_zone, w.timezone)') }} as issued_at,
        {{ instant_of_local('cast(s.told_local as timestamp)', 'coalesce(s.told_zone, w.timezone)') }} as told_at
    from source as s
    inner join workspaces as w
        on s.workspace = w.workspace
)

select
    *,
    coalesce(told_at, received_at, issued_at) as observed_at
from in_time
