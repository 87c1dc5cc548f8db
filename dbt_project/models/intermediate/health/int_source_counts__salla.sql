-- How many orders Salla itself counts, in all and by days of creation, as told in the last week before now, beside what
-- we have of the same time. An older count would be told apart from ours by what was deleted since.
with totals as (
    select * from {{ ref('stg_salla__list_totals') }}
),

orders as (
    select * from {{ ref('int_salla__orders') }}
),

workspaces as (
    select * from {{ ref('stg_settings__workspaces') }}
),

counts as (
    select
        totals.workspace,
        totals.total as own_count,
        totals.told_at,
        case
            when totals.from_date is not null
                then {{ instant_of_local('cast(totals.from_date as timestamp)', 'workspaces.timezone') }}
        end as from_at,
        case
            when totals.to_date is not null
                then
                    {{ instant_of_local("cast(totals.to_date as timestamp) + interval 1 day", 'workspaces.timezone') }}
        end as to_at
    from totals
    inner join workspaces
        on totals.workspace = workspaces.workspace
    where
        totals.list_name = 'orders'
        and totals.told_at < workspaces.as_of
        and totals.told_at >= workspaces.as_of - interval 7 day
),

listed_orders as (
    select workspace, order_id, ordered_at
    from orders
    where not is_deleted and not is_draft
)

select
    counts.workspace,
    'orders' as counted,
    counts.from_at,
    counts.to_at,
    counts.told_at,
    counts.own_count,
    count(listed_orders.order_id) as our_count
from counts
left join listed_orders
    on
        counts.workspace = listed_orders.workspace
        and counts.told_at > listed_orders.ordered_at
        and (counts.from_at is null or counts.from_at <= listed_orders.ordered_at)
        and (counts.to_at is null or counts.to_at > listed_orders.ordered_at)
group by counts.workspace, counts.from_at, counts.to_at, counts.told_at, counts.own_count
