-- When an agent looked: the instants that agent_last_seen_at ever showed. Pages show whole seconds, notices of them
-- fractions, so that one look is one second.
with read_marks as (select * from {{ ref('stg_chatwoot__read_marks') }}),

looks as (
    select
        *,
        date_trunc('second', agent_last_seen_at) as read_second,
        -- who looked is told only where it was the assignee
        case
            when date_trunc('second', assignee_last_seen_at) = date_trunc('second', agent_last_seen_at) then assignee_id
        end as agent_id
    from read_marks
)

select
    workspace,
    'chatwoot' as source,
    account,
    ticket_id,
    max(agent_last_seen_at) as read_at,
    -- the assignee may have changed since: only one that every sighting names is sure
    case when count(distinct agent_id) = 1 then min(agent_id) end as agent_id,
    'snapshot' as evidence
from looks
group by workspace, account, ticket_id, read_second
