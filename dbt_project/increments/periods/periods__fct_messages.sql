-- The messages of all periods and of those they are compared to.
with messages as (
    select * from {{ ref('fct_messages') }}
),

periods as (
    select * from {{ ref('dim_periods') }}
)

select messages.*
from messages
where messages.sent_at >= (select min(periods.previous_from_at) from periods)
