-- The ids of these messages.
with messages as (
    select * from {{ touched('people', 'int_whatsapp__messages') }}
)

select message_id
from messages
