{{ config(meta={'covered': true}) }}

with source as (
    select * from {{ source('settings', 'workspaces') }}
)

select
    workspace,
    timezone,
    week_start,
    currency,
    session_gap_seconds,
    attribution_window_seconds,
    has_calendar,
    chatwoot_url,
    chatwoot_account,
    as_of
from source
