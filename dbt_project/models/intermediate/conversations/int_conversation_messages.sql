-- Every message with its conversation, its customer and its place among the counted messages of the conversation.
with messages as (
    select * from {{ ref('int_messages') }}
),

session_messages as (
    select * from {{ ref('int_session_messages') }}
),

tickets as (
    select * from {{ ref('int_tickets') }}
),

placed as (
    select
        messages.*,
        coalesce(tickets.conversation_id, session_messages.conversation_id) as conversation_id,
        coalesce(tickets.person_key, session_messages.person_key) as person_key,
        coalesce(tickets.channel, messages.channel_id) as channel
    from messages
    left join session_messages
        on messages.message_id = session_messages.message_id
    left join tickets
        on
            messages.workspace = tickets.workspace
            and messages.source = tickets.source
            and messages.account = tickets.account
            and messages.ticket_id = tickets.ticket_id
)

select
    *,
    case when person_key is not null then {{ keyed_hash(["'customer'", "workspace", "person_key"]) }} end as customer_id,
    case
        when is_counted and conversation_id is not null then row_number() over (
            partition by conversation_id, is_counted
            order by sent_at, sequence nulls last, received_at nulls last, position, source_message_id
        )
    end as message_order
from placed
