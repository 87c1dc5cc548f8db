-- What happened at or after as_of waits outside the facts.
select messages.message_id
from {{ ref('fct_messages') }} as messages
inner join {{ ref('dim_workspaces') }} as workspaces
    on messages.workspace = workspaces.workspace
where
    messages.sent_at >= workspaces.as_of
    or messages.delivered_at >= workspaces.as_of
    or messages.read_at >= workspaces.as_of

union all

select status.conversation_id
from {{ ref('fct_conversation_status') }} as status
inner join {{ ref('fct_conversations') }} as conversations
    on status.conversation_id = conversations.conversation_id
inner join {{ ref('dim_workspaces') }} as workspaces
    on conversations.workspace = workspaces.workspace
where status.from_at >= workspaces.as_of and status.evidence <> 'start'
