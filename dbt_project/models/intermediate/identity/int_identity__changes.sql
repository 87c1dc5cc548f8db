{{ config(meta={'covered': true}) }}

-- Changes of id or number, up to now, each once.
with changes as (
    select * from {{ ref('stg_whatsapp__identity_changes') }}
),

workspaces as (
    select * from {{ ref('stg_settings__workspaces') }}
)

select
    changes.workspace,
    changes.happened_at,
    changes.previous_user_id,
    changes.current_user_id,
    changes.previous_phone,
    changes.current_phone
from changes
inner join workspaces
    on changes.workspace = workspaces.workspace
where changes.happened_at < workspaces.as_of
group by
    changes.workspace,
    changes.happened_at,
    changes.previous_user_id,
    changes.current_user_id,
    changes.previous_phone,
    changes.current_phone
