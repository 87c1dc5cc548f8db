-- These messages as they stood until now.
with facts as (
    select * from {{ ref('fct_messages') }}
),

messages_to_look_at as (
    select * from {{ touched('people', 'messages') }}
)

select facts.*
from facts
where facts.message_id in (select message_id from messages_to_look_at)
