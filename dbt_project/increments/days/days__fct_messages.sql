-- The messages of these days.
with messages as (
    select * from {{ ref('fct_messages') }}
),

touched_days as (
    select * from {{ touched('days', 'days') }}
)

select messages.*
from messages
where (messages.workspace, messages.sent_local_date) in (select workspace, local_date from touched_days)
