-- All of the conversations that tell something of these days.
with facts as (
    select * from {{ ref('fct_episodes') }}
),

told as (
    select * from {{ touched('days', 'conversations') }}
)

select facts.*
from facts
where facts.conversation_id in (select conversation_id from told)
