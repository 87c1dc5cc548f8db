-- The order statuses the merchant ticked for Salla's own reports, by slug, as last seen.
with source as (
    select * from {{ source('salla', 'report_statuses') }}
),

statuses as (
    select * from {{ ref('stg_salla__order_statuses') }}
),

-- this setting numbers statuses in a way of its own
numbers (raw_status_id, status_slug) as (
    values
    ('1', 'payment_pending'),
    ('2', 'under_review'),
    ('3', 'in_progress'),
    ('4', 'completed'),
    ('8', 'delivering'),
    ('9', 'delivered'),
    ('10', 'shipped'),
    ('11', 'waiting_for_payment_confirmation'),
    ('13', 'request_quote')
),

ranked as (
    select
        *,
        row_number() over (
            partition by workspace, raw_status_id
            order by received_at desc nulls last, landing_file desc, landing_line desc
        ) as newest
    from source
)

select
    ranked.workspace,
    ranked.raw_status_id,
    coalesce(numbers.status_slug, statuses.status_slug) as status_slug,
    ranked.is_selected
from ranked
left join numbers
    on ranked.raw_status_id = numbers.raw_status_id
left join statuses
    on
        ranked.workspace = statuses.workspace
        and ranked.raw_status_id = statuses.status_id
where ranked.newest = 1
