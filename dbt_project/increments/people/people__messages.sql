-- The messages to look at: of touched threads from where they are cut anew, of renamed customers all, and the touched
-- ones, whoever they are of.
with messages as (
    select * from {{ ref('int_conversation_messages') }}
),

-- read once more: what a query reads twice under one name is held in memory as a whole
messages_of_customers as (
    select * from {{ ref('int_conversation_messages') }}
),

renamed as (
    select * from {{ touched('people', 'renamed') }}
),

threads as (
    select * from {{ touched('people', 'beginnings') }}
),

messages_now as (
    select * from {{ touched('evidence', 'int_whatsapp__messages') }}
)

select messages.message_id
from messages
inner join threads
    on
        messages.customer_id = threads.customer_id
        and messages.channel = threads.channel
        and messages.sent_at >= threads.begins_at

union

select message_id
from messages_of_customers
where customer_id in (select customer_id from renamed)

union

select message_id
from messages_now
