-- The customers that these messages are or were of.
with messages_before as (
    select * from {{ touched('people', 'fct_messages_before') }}
),

messages_now as (
    select * from {{ touched('people', 'fct_messages') }}
)

select customer_id
from messages_before
where customer_id is not null

union

select customer_id
from messages_now
where customer_id is not null
