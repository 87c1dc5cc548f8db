-- Whether we have what the sources themselves count.
with counts as (
    select * from {{ ref('fct_source_counts') }}
),

workspaces as (
    select * from {{ ref('dim_workspaces') }}
)

select
    counts.source,
    counts.workspace,
    counts.account,
    counts.counted,
    counts.from_at,
    counts.to_at,
    counts.told_at,
    counts.own_count,
    counts.our_count,
    counts.difference,
    counts.tolerance,
    counts.is_in_agreement,
    counts.to_at >= workspaces.as_of - interval 30 day as is_recent,
    workspaces.as_of
from counts
inner join workspaces
    on counts.workspace = workspaces.workspace
