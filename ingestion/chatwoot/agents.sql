-- Users and bots as a file shows them: in the list of agents, as senders, assignees, or who did something. A list is
-- kept as it came; otherwise one row per person, name and way of being seen, with the last time of it.
with shown as (
    select
        workspace, landing_file, landing_line, received_at, item_account as account,
        received_at as observed_at,
        'index' as seen_as,
        item as agent,
        'user' as told_type
    from items
    where item_kind = 'agent'

    union all by name

    select
        workspace, landing_file, landing_line, received_at, account, observed_at,
        'assignee' as seen_as,
        told.meta.assignee as agent,
        'user' as told_type
    from readable_conversations
    where assignee_id is not null

    union all by name

    select
        workspace, landing_file, landing_line, received_at, account,
        created_at as observed_at,
        'sender' as seen_as,
        told.sender as agent,
        told.sender_type as told_type
    from readable_messages
    where message_type in ('outgoing', 'template') and sender.id is not null

    union all by name

    select
        workspace, landing_file, landing_line, received_at, account,
        -- what is told of a thing that was done is told at once
        coalesce(received_at, instant(body ->> '$.updated_at')) as observed_at,
        'actor' as seen_as,
        (body -> '$.performed_by') as agent,
        null::varchar as told_type
    from calls
    where resource = 'webhook'
),

opened as (
    select
        *,
        from_json(
            agent, '{"id":"VARCHAR","type":"VARCHAR","name":"VARCHAR","available_name":"VARCHAR","role":"VARCHAR"}'
        ) as told
    from shown
    where agent is not null
),

typed as (
    select
        *,
        regexp_replace(lower(coalesce(told.type, told_type)), '[^a-z]', '', 'g') as agent_type,
        coalesce(told.name, told.available_name) as agent_name
    from opened
    where try_cast(told.id as bigint) is not null
)

select
    workspace,
    landing_file,
    min(landing_line) as landing_line,
    0::bigint as position,
    max(received_at) as received_at,
    account,
    told.id as agent_id,
    seen_as,
    agent_type,
    max(observed_at) as observed_at,
    agent_name,
    told.role as role
from typed
where agent_type in ('user', 'agentbot', 'captainassistant')
group by
    workspace, landing_file, account, told.id, seen_as, agent_type, agent_name, told.role,
    case when seen_as = 'index' then landing_line end
