-- All of the conversations that tell something of the periods.
with facts as (
    select * from {{ ref('fct_episodes') }}
),

told as (
    select * from {{ touched('periods', 'conversations') }}
)

select facts.*
from facts
where facts.conversation_id in (select conversation_id from told)
