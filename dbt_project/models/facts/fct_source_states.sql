-- When each door of a source last brought all there was: its pull, or the receiver of its webhooks. As of now: what was
-- tried later than that is not told.
with states as (
    select * from {{ ref('stg_settings__source_states') }}
),

workspaces as (
    select * from {{ ref('stg_settings__workspaces') }}
)

select
    states.source,
    states.workspace,
    states.kind,
    case when states.last_attempt_at is not null then least(states.last_attempt_at, workspaces.as_of) end as last_attempt_at,
    -- a source that was heard in full later was heard in full up to now
    case when states.last_success_at is not null then least(states.last_success_at, workspaces.as_of) end as last_success_at,
    states.problem
from states
inner join workspaces
    on states.workspace = workspaces.workspace
