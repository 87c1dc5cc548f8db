-- Unread stretches that are not as they were, each as it was and as it is.
with facts_before as (
    select * from {{ touched('people', 'fct_unread_spans_before') }}
),

facts_now as (
    select * from {{ touched('people', 'fct_unread_spans') }}
),

together as (
    select * from facts_before
    union all
    select * from facts_now
)

select *
from together
group by all
having count(*) = 1
