-- How many orders Salla itself counts, in all and by days of creation, as told in the last week before now, beside what
-- we have of the same time. An older count would differ by what was deleted since, of which not always is known when.
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

-- the sighting that tells of a deletion is the last there is
orders_of_lists as (
    select
        workspace,
        order_id,
        ordered_at,
        case when is_deleted then observed_at end as deleted_at
    from orders
    where not is_draft
)

select
    counts.workspace,
    'orders' as counted,
    counts.from_at,
    counts.to_at,
    counts.told_at,
    counts.own_count,
    count(orders_of_lists.order_id) as our_count
from counts
left join orders_of_lists
    on
        counts.workspace = orders_of_lists.workspace
        and counts.told_at > orders_of_lists.ordered_at
        and (orders_of_lists.deleted_at is null or orders_of_lists.deleted_at > counts.told_at)
        and (counts.from_at is null or counts.from_at <= orders_of_lists.ordered_at)
        and (counts.to_at is null or counts.to_at > orders_of_lists.ordered_at)
group by counts.workspace, counts.from_at, counts.to_at, counts.told_at, counts.own_count
