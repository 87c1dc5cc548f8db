-- One row per customer of the store: of each attribute what was observed last.
with sightings as (
    select * from {{ ref('stg_salla__customers') }}
),

ranked as (
    select
        *,
        row_number() over (
            partition by workspace, customer_id
            order by
                observed_at nulls first,
                case when seen_in = 'customer' then 2 else 1 end,
                object_hash,
                landing_file,
                landing_line,
                position
        ) as freshness
    from sightings
    where customer_id is not null
)

select
    workspace,
    customer_id,
    max_by(full_name, freshness) filter (where full_name is not null) as full_name,
    max_by(phone, freshness) filter (where phone is not null) as phone,
    max_by(email, freshness) filter (where email is not null) as email,
    max_by(city, freshness) filter (where city is not null) as city,
    max_by(country_code, freshness) filter (where country_code is not null) as country_code,
    max_by(is_notifications_enabled, freshness) filter (where is_notifications_enabled is not null)
        as is_notifications_enabled,
    min(created_at) as created_at,
    min(observed_at) as first_seen_at,
    max(observed_at) as last_seen_at
from ranked
group by workspace, customer_id
