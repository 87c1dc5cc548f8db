{{ config(meta={'covered': true}) }}

-- The workspaces, their clock and the instant these numbers are of.
with workspaces as (
    select * from {{ ref('stg_settings__workspaces') }}
)

select
    workspace,
    timezone,
    week_start,
    currency,
    session_gap_seconds,
    attribution_window_seconds,
    has_calendar,
    as_of,
    cast({{ local_timestamp('as_of', 'timezone') }} as timestamp) as as_of_local
from workspaces
