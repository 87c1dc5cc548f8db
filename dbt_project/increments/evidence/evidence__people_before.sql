-- Whose these messages were until now: a message may turn out to be another person's.
with messages as (
    select * from {{ ref('int_whatsapp__messages') }}
),

touched_messages as (
    select * from {{ touched('told', 'messages') }}
)

select workspace, customer_user_id as user_id, customer_phone as phone
from messages
where
    (workspace, phone_number_id, wamid) in (select workspace, phone_number_id, wamid from touched_messages)
    and (customer_user_id is not null or customer_phone is not null)
