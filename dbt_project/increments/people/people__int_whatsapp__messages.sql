-- All messages of the touched people, and the touched messages that are nobody's.
with messages as (
    select * from {{ ref('int_whatsapp__messages') }}
),

touched_messages as (
    select * from {{ touched('told', 'messages') }}
),

touched_phones as (
    select * from {{ touched('identity', 'phones') }}
),

touched_user_ids as (
    select * from {{ touched('identity', 'user_ids') }}
)

select messages.*
from messages
where
    (messages.workspace, messages.customer_phone) in (select workspace, phone from touched_phones)
    or (messages.workspace, messages.customer_user_id) in (select workspace, user_id from touched_user_ids)
    or (messages.workspace, messages.phone_number_id, messages.wamid)
    in (select workspace, phone_number_id, wamid from touched_messages)
