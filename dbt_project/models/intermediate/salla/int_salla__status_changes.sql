-- Every moment at which an order is known to have had a status: from its history, and from each sighting of it.
with histories as (
    select * from {{ ref('stg_salla__order_histories') }}
),

statuses as (
    select * from {{ ref('stg_salla__order_statuses') }}
),

orders as (
    select * from {{ ref('stg_salla__orders') }}
),

-- an answer about histories is about one order; where its call did not say which, another entry of it may
entry_orders as (
    select workspace, history_id, min(order_id) as order_id
    from histories
    where order_id is not null
    group by workspace, history_id
),

answer_orders as (
    select
        histories.workspace,
        histories.landing_file,
        histories.landing_line,
        min(entry_orders.order_id) as order_id
    from histories
    inner join entry_orders
        on
            histories.workspace = entry_orders.workspace
            and histories.history_id = entry_orders.history_id
    group by histories.workspace, histories.landing_file, histories.landing_line
    having count(distinct entry_orders.order_id) = 1
),

-- an entry names its status in words; only the words of Salla's own statuses stand for a slug
original_names as (
    select workspace, status_name, min(status_slug) as status_slug
    from statuses
    where status_type = 'original'
    group by workspace, status_name
    having count(distinct status_slug) = 1
),

from_histories as (
    select
        histories.workspace,
        coalesce(histories.order_id, answer_orders.order_id) as order_id,
        histories.happened_at as changed_at,
        coalesce(histories.status_slug, by_id.status_slug, original_names.status_slug) as status_slug
    from histories
    left join answer_orders
        on
            histories.workspace = answer_orders.workspace
            and histories.landing_file = answer_orders.landing_file
            and histories.landing_line = answer_orders.landing_line
    left join statuses as by_id
        on
            histories.workspace = by_id.workspace
            and histories.original_status_id = by_id.status_id
    left join original_names
        on
            histories.workspace = original_names.workspace
            and histories.status_name = original_names.status_name
),

from_sightings as (
    select
        orders.workspace,
        orders.order_id,
        orders.observed_at as changed_at,
        coalesce(orders.status_slug, statuses.status_slug) as status_slug
    from orders
    left join statuses
        on
            orders.workspace = statuses.workspace
            and orders.status_id = statuses.status_id
),

together as (
    select * from from_histories
    union
    select * from from_sightings
)

select
    workspace,
    order_id,
    changed_at,
    status_slug
from together
where order_id is not null and changed_at is not null and status_slug is not null
