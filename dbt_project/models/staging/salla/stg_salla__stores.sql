-- The store of each workspace and its currency: as Salla says, else as set.
with source as (
    select * from {{ source('salla', 'store_info') }}
),

workspaces as (
    select * from {{ ref('stg_settings__workspaces') }}
),

ranked as (
    select
        *,
        row_number() over (
            partition by workspace
            order by received_at desc nulls last, landing_file desc, landing_line desc
        ) as newest
    from source
)

select
    workspaces.workspace,
    workspaces.timezone,
    workspaces.as_of,
    ranked.store_id,
    ranked.store_name,
    coalesce(ranked.currency, workspaces.currency) as currency
from workspaces
left join ranked
    on
        workspaces.workspace = ranked.workspace
        and ranked.newest = 1
