-- The first and the last thing each source told, by event time.
with whatsapp_messages as (
    select * from {{ ref('int_whatsapp__messages') }}
),

ticket_messages as (
    select * from {{ ref('int_ticket_messages') }}
),

orders as (
    select * from {{ ref('int_salla__orders') }}
),

workspaces as (
    select * from {{ ref('stg_settings__workspaces') }}
),

events as (
    select workspace, 'whatsapp' as source, sent_at as happened_at
    from whatsapp_messages

    union all

    select workspace, source, sent_at as happened_at
    from ticket_messages

    union all

    select workspace, 'salla' as source, ordered_at as happened_at
    from orders
)

select
    events.workspace,
    events.source,
    min(events.happened_at) as first_event_at,
    max(events.happened_at) as last_event_at
from events
inner join workspaces
    on events.workspace = workspaces.workspace
where events.happened_at < workspaces.as_of
group by events.workspace, events.source
