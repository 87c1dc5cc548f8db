-- Whose these messages were until now, and when: one may turn out to be another person's, or of another time.
with messages as (
    select * from {{ ref('int_whatsapp__messages') }}
),

touched_messages as (
    select * from {{ touched('told', 'messages') }}
)

select workspace, phone_number_id, customer_user_id, customer_phone, sent_at
from messages
where (workspace, phone_number_id, wamid) in (select workspace, phone_number_id, wamid from touched_messages)
