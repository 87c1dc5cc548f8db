-- Entries of orders' histories: who changed the status when.
with source as (
    select * from {{ source('salla', 'order_histories') }}
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
        s.history_id,
        s.order_id,
        s.status_name,
        case
            when lower(coalesce(s.status_slug, s.custom_slug)) = 'cancelled' then 'canceled'
            else lower(coalesce(s.status_slug, s.custom_slug))
        end as status_slug,
        s.original_status_id,
        s.entry_type,
        s.employee_id,
        {{ instant_of_local('cast(s.happened_local as timestamp)', 'coalesce(s.happened_zone, w.timezone)') }}
            as happened_at
    from source as s
    inner join workspaces as w
        on s.workspace = w.workspace
)

select
    *,
    happened_at as observed_at
from in_time
