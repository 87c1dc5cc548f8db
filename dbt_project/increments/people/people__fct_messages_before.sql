-- These messages as they stood until now.
with facts as (
    select * from {{ ref('fct_messages') }}
),

touched_messages as (
    select * from {{ touched('people', 'messages') }}
)

select facts.*
from facts
where facts.message_id in (select message_id from touched_messages)
