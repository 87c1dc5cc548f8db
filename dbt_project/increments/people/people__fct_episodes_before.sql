-- These conversations' rows as they stood until now.
with facts as (
    select * from {{ ref('fct_episodes') }}
),

touched_conversations as (
    select * from {{ touched('people', 'conversations') }}
)

select facts.*
from facts
where facts.conversation_id in (select conversation_id from touched_conversations)
