-- One row per sighting of a user or a bot: in the list of agents, as a sender, an assignee, or who did something.
with told as (
    select
        workspace, landing_file, landing_line, received_at, item_number * 1000 as position, item_account as account,
        received_at as observed_at, 'index' as seen_as, item as agent, 'user' as agent_type
    from items
    where item_kind = 'agent'

    union all by name

    select
        workspace, landing_file, landing_line, received_at, position, account, observed_at, 'assignee' as seen_as,
        (conversation -> '$.meta.assignee') as agent,
        coalesce((conversation ->> '$.meta.assignee.type'), 'user') as agent_type
    from readable_conversations

    union all by name

    select
        workspace, landing_file, landing_line, received_at, position, account, created_at as observed_at,
        'sender' as seen_as,
        (item -> '$.sender') as agent,
        coalesce((item ->> '$.sender.type'), (item ->> '$.sender_type')) as agent_type
    from readable_messages
    where message_type in ('outgoing', 'template')

    union all by name

    select
        workspace, landing_file, landing_line, received_at, 999 as position, account,
        coalesce(sane_instant(body -> '$.updated_at'), received_at) as observed_at, 'actor' as seen_as,
        (body -> '$.performed_by') as agent,
        (body ->> '$.performed_by.type') as agent_type
    from calls
    where resource = 'webhook'
)

select
    workspace,
    landing_file,
    landing_line,
    position,
    received_at,
    account,
    (agent ->> '$.id') as agent_id,
    seen_as,
    regexp_replace(lower(agent_type), '[^a-z]', '', 'g') as agent_type,
    observed_at,
    coalesce((agent ->> '$.name'), (agent ->> '$.available_name')) as agent_name,
    (agent ->> '$.role') as role
from told
where
    try_cast((agent ->> '$.id') as bigint) is not null
    and regexp_replace(lower(agent_type), '[^a-z]', '', 'g') in ('user', 'agentbot', 'captainassistant')
