-- The messages that are touched, with whom they are or were exchanged and when.
with messages_before as (
    select * from {{ touched('evidence', 'messages_before') }}
),

messages_now as (
    select * from {{ touched('evidence', 'int_whatsapp__messages') }}
),

silent as (
    select * from {{ touched('identity', 'silent') }}
)

select workspace, phone_number_id, customer_user_id, customer_phone, sent_at
from messages_before

union

select workspace, phone_number_id, customer_user_id, customer_phone, sent_at
from messages_now

union

select workspace, phone_number_id, customer_user_id, customer_phone, sent_at
from silent
