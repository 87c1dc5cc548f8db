-- Where an imported history of WhatsApp ends long before the receiver began: nobody knows what was written in between.
-- WhatsApp keeps no history, so nothing closes the gap but an archive of that time. The other sources are asked for it.
with messages as (
    select * from {{ ref('stg_whatsapp__messages') }}
),

statuses as (
    select * from {{ ref('stg_whatsapp__statuses') }}
),

workspaces as (
    select * from {{ ref('stg_settings__workspaces') }}
),

-- the receiver's files are named after it; a phone's own history, which it takes too, is no beginning
told as (
    select
        workspace,
        sent_at as happened_at,
        received_at,
        landing_file like '%/receive-%' and origin <> 'history' as is_live
    from messages

    union all

    select
        workspace,
        happened_at,
        received_at,
        landing_file like '%/receive-%' as is_live
    from statuses
),

began as (
    select
        told.workspace,
        min(told.received_at) as received_from_at
    from told
    inner join workspaces
        on told.workspace = workspaces.workspace
    where told.is_live and told.received_at < workspaces.as_of
    group by told.workspace
),

ended as (
    select
        told.workspace,
        began.received_from_at,
        max(told.happened_at) as imported_to_at
    from told
    inner join began
        on told.workspace = began.workspace and told.happened_at < began.received_from_at
    where not told.is_live
    group by told.workspace, began.received_from_at
)

select
    workspace,
    'whatsapp' as source,
    imported_to_at as gap_from_at,
    received_from_at as gap_to_at
from ended
-- a quiet day is no gap
where imported_to_at < received_from_at - interval 1 day
