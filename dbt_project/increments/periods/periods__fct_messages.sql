-- The messages of all periods and of those they are compared to.
with messages as (
    select * from {{ ref('fct_messages') }}
),

periods as (
    select * from {{ ref('dim_periods') }}
)

select workspace, channel, conversation_id, customer_id, sent_at, author_type, is_counted
from messages
where sent_at >= (select min(periods.previous_from_at) from periods)
