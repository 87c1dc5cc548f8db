-- When agents had last looked at a conversation, as a file shows it; who is known only where it was the assignee.
with seen as (
    select
        workspace, landing_file, landing_line, position, received_at, account, conversation_id, observed_at,
        agent_last_seen_at, assignee_last_seen_at, assignee_id
    from readable_conversations

    union all by name

    select
        workspace, landing_file, landing_line, 1 as position, received_at, account,
        coalesce(path_conversation_id, (body ->> '$.payload[0].conversation_id')) as conversation_id,
        received_at as observed_at,
        instant(body ->> '$.meta.agent_last_seen_at') as agent_last_seen_at,
        instant(body ->> '$.meta.assignee_last_seen_at') as assignee_last_seen_at,
        (body ->> '$.meta.assignee.id') as assignee_id
    from calls
    where resource = 'messages'
)

select
    workspace,
    landing_file,
    min(landing_line) as landing_line,
    min(position)::bigint as position,
    min(received_at) as received_at,
    account,
    conversation_id,
    min(observed_at) as observed_at,
    agent_last_seen_at,
    assignee_last_seen_at,
    assignee_id
from seen
where agent_last_seen_at is not null and try_cast(conversation_id as bigint) is not null
group by workspace, landing_file, account, conversation_id, agent_last_seen_at, assignee_last_seen_at, assignee_id
