{{ config(meta={'stage': 'people', 'touched': {'people.messages': ['message_id']}}) }}

-- Every message with its conversation, its customer and its place among the counted messages of the conversation.
-- What else is known of a message, and where it comes from, stays in int_messages.
with messages as (
    select * from {{ ref('int_messages') }}
),

-- read apart from the wide rows: what a query reads twice is held in memory as a whole
messages_of_tickets as (
    select message_id, workspace, source, account, ticket_id, sent_at, sequence, received_at, position, source_message_id
    from {{ ref('int_messages') }}
    where ticket_id is not null and is_counted
),

session_messages as (
    select * from {{ ref('int_session_messages') }}
),

tickets as (
    select * from {{ ref('int_tickets') }}
),

-- threads were put in order when they were cut
ordered_in_tickets as (
    select
        messages_of_tickets.message_id,
        row_number() over (
            partition by tickets.conversation_id
            order by
                messages_of_tickets.sent_at,
                messages_of_tickets.sequence nulls last,
                messages_of_tickets.received_at nulls last,
                messages_of_tickets.position,
                messages_of_tickets.source_message_id
        ) as message_order
    from messages_of_tickets
    inner join tickets
        on
            messages_of_tickets.workspace = tickets.workspace
            and messages_of_tickets.source = tickets.source
            and messages_of_tickets.account = tickets.account
            and messages_of_tickets.ticket_id = tickets.ticket_id
)

select
    messages.message_id,
    coalesce(tickets.conversation_id, session_messages.conversation_id) as conversation_id,
    coalesce(tickets.customer_id, session_messages.customer_id) as customer_id,
    messages.workspace,
    messages.source,
    coalesce(tickets.channel, messages.channel_id) as channel,
    messages.sent_at,
    messages.author_type,
    messages.author_source_id,
    messages.is_human,
    messages.is_counted,
    coalesce(ordered_in_tickets.message_order, session_messages.message_order) as message_order
from messages
left join session_messages
    on messages.message_id = session_messages.message_id
left join tickets
    on
        messages.workspace = tickets.workspace
        and messages.source = tickets.source
        and messages.account = tickets.account
        and messages.ticket_id = tickets.ticket_id
left join ordered_in_tickets
    on messages.message_id = ordered_in_tickets.message_id
