-- The messages to look at, in full.
with messages as (
    select * from {{ ref('int_whatsapp__messages') }}
),

messages_to_look_at as (
    select * from {{ touched('people', 'messages') }}
)

select messages.*
from messages
where messages.message_id in (select message_id from messages_to_look_at)
