-- The conversations that these messages made until now: each is made of these messages only.
with messages as (
    select * from {{ touched('people', 'fct_messages_before') }}
)

select conversation_id
from messages
where conversation_id is not null
group by conversation_id
