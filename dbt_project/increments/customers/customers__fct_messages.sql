-- What makes a customer, of all messages of these customers.
with messages as (
    select * from {{ ref('fct_messages') }}
),

touched_customers as (
    select * from {{ touched('customers', 'customers') }}
)

select workspace, customer_id, sent_at, author_type, is_counted
from messages
where customer_id in (select customer_id from touched_customers)
