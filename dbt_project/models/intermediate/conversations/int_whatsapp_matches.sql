-- Messages that Meta and an inbox both tell of: which is which.
with ticket_messages as (
    select * from {{ ref('int_ticket_messages') }}
),

whatsapp as (
    select * from {{ ref('int_whatsapp__messages') }}
),

ranked as (
    select
        ticket_messages.workspace,
        ticket_messages.source,
        ticket_messages.account,
        ticket_messages.source_message_id,
        whatsapp.phone_number_id,
        whatsapp.wamid,
        row_number() over (
            partition by whatsapp.workspace, whatsapp.phone_number_id, whatsapp.wamid
            order by ticket_messages.sent_at, ticket_messages.sequence, ticket_messages.source_message_id
        ) as match_rank
    from ticket_messages
    inner join whatsapp
        on ticket_messages.workspace = whatsapp.workspace and ticket_messages.wamid = whatsapp.wamid
)

select
    workspace,
    source,
    account,
    source_message_id,
    phone_number_id,
    wamid
from ranked
-- the inbox may hold one message twice; Meta's row goes to the first
where match_rank = 1
