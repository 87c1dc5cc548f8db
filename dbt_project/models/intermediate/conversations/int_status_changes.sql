{{ config(meta={'stage': 'people', 'touched': {'people.conversations': ['conversation_id']}}) }}

-- When conversations opened and closed after they began, by the best evidence there is of each.
with inbox as (
    select * from {{ ref('int_inbox__status_events') }}
),

chatwoot as (
    select * from {{ ref('int_chatwoot__status_events') }}
),

tickets as (
    select * from {{ ref('int_tickets') }}
),

conversation_messages as (
    select * from {{ ref('int_conversation_messages') }}
),

gone_conversations as (
    select * from {{ ref('int_gone_conversations') }}
),

workspaces as (
    select * from {{ ref('stg_settings__workspaces') }}
),

source_events as (
    select * from inbox
    union all
    select * from chatwoot
),

events as (
    select
        tickets.conversation_id,
        source_events.status,
        source_events.occurred_at,
        source_events.actor_type,
        source_events.actor_id,
        source_events.evidence
    from source_events
    inner join tickets
        on
            source_events.workspace = tickets.workspace
            and source_events.source = tickets.source
            and source_events.account = tickets.account
            and source_events.ticket_id = tickets.ticket_id
    inner join workspaces
        on source_events.workspace = workspaces.workspace
    where source_events.occurred_at < workspaces.as_of
),

with_events as (
    select conversation_id
    from events
    group by conversation_id
),

counted_messages as (
    select
        conversation_messages.conversation_id,
        conversation_messages.sent_at,
        conversation_messages.message_order,
        workspaces.as_of,
        {{ microseconds('conversation_messages.sent_at') }} + workspaces.session_gap_seconds * 1000000 as silent_us,
        lead(conversation_messages.sent_at) over (
            partition by conversation_messages.conversation_id order by conversation_messages.message_order
        ) as next_sent_at
    from conversation_messages
    inner join workspaces
        on conversation_messages.workspace = workspaces.workspace
    where conversation_messages.message_order is not null
),

-- known from a snapshot only: closed from the last message on
snapshot_closes as (
    select
        tickets.conversation_id,
        'closed' as status,
        coalesce(max(counted_messages.sent_at), max(tickets.created_at), max(tickets.snapshot_at)) as occurred_at,
        'unknown' as actor_type,
        cast(null as string) as actor_id,
        'snapshot' as evidence
    from tickets
    left join with_events
        on tickets.conversation_id = with_events.conversation_id
    left join counted_messages
        on tickets.conversation_id = counted_messages.conversation_id
    where with_events.conversation_id is null and tickets.snapshot_status = 'closed'
    group by tickets.conversation_id
),

-- a webhook that was lost: the inbox's own row, changed after the last event, says otherwise
last_events as (
    select
        conversation_id,
        max(occurred_at) as last_event_at,
        -- at one instant a close comes after an opening
        max_by(status, {{ microseconds('occurred_at') }} * 2 + case status when 'closed' then 1 else 0 end)
            as last_status
    from events
    group by conversation_id
),

contradictions as (
    select
        tickets.conversation_id,
        tickets.snapshot_status as status,
        case
            when tickets.snapshot_status = 'closed'
                then
                    greatest(
                        last_events.last_event_at,
                        coalesce(
                            max(case when counted_messages.sent_at <= tickets.snapshot_at then counted_messages.sent_at end),
                            last_events.last_event_at
                        )
                    )
            else coalesce(
                min(
                    case
                        when
                            counted_messages.sent_at > last_events.last_event_at
                            and counted_messages.sent_at <= tickets.snapshot_at
                            then counted_messages.sent_at
                    end
                ),
                tickets.snapshot_at
            )
        end as occurred_at,
        'unknown' as actor_type,
        cast(null as string) as actor_id,
        'snapshot' as evidence
    from tickets
    inner join workspaces
        on tickets.workspace = workspaces.workspace
    inner join last_events
        on tickets.conversation_id = last_events.conversation_id
    left join counted_messages
        on tickets.conversation_id = counted_messages.conversation_id
    where
        -- an export's row gives the status only where no event does
        tickets.source = 'chatwoot'
        and tickets.snapshot_at < workspaces.as_of
        and tickets.snapshot_at > last_events.last_event_at
        and tickets.snapshot_status <> last_events.last_status
    group by
        tickets.conversation_id,
        tickets.snapshot_status,
        tickets.snapshot_at,
        last_events.last_event_at
),

told_by_source as (
    select conversation_id from with_events
    union
    select conversation_id from tickets
    where snapshot_status is not null
),

-- without any status, silence closes and a later message opens again
silences as (
    select
        counted_messages.conversation_id,
        {{ instant_from_microseconds('counted_messages.silent_us') }} as closed_at,
        counted_messages.next_sent_at as reopened_at
    from counted_messages
    left join told_by_source
        on counted_messages.conversation_id = told_by_source.conversation_id
    where
        told_by_source.conversation_id is null
        and counted_messages.silent_us
        < coalesce({{ microseconds('counted_messages.next_sent_at') }}, {{ microseconds('counted_messages.as_of') }})
),

together as (
    select conversation_id, status, occurred_at, actor_type, actor_id, evidence
    from events

    union all

    select conversation_id, status, occurred_at, actor_type, actor_id, evidence
    from snapshot_closes

    union all

    select conversation_id, status, occurred_at, actor_type, actor_id, evidence
    from contradictions

    union all

    select conversation_id, 'closed' as status, closed_at as occurred_at, 'silence' as actor_type, null as actor_id, 'silence' as evidence
    from silences

    union all

    select conversation_id, 'open' as status, reopened_at as occurred_at, 'silence' as actor_type, null as actor_id, 'silence' as evidence
    from silences
    where reopened_at is not null

    union all

    -- no longer in the inbox: a repeat where it was closed before
    select conversation_id, 'closed' as status, gone_at as occurred_at, 'system' as actor_type, null as actor_id, 'tombstone' as evidence
    from gone_conversations
),

-- every conversation begins open, so that a first "open" is a repeat like any other
with_previous as (
    select
        *,
        coalesce(
            lag(status) over (
                partition by conversation_id
                -- at one instant a reopening comes before a close
                order by occurred_at, case status when 'open' then 0 else 1 end, actor_type, actor_id nulls last
            ),
            'open'
        ) as previous_status
    from together
)

select
    conversation_id,
    status,
    occurred_at,
    case
        when actor_type = 'agent' then 'person'
        when actor_type in ('automation', 'system') then 'automation'
        when actor_type = 'silence' then 'silence'
        else 'unknown'
    end as changed_by,
    actor_type,
    actor_id,
    evidence
from with_previous
where status <> previous_status
