-- Customers by a keyed hash and a harmless label; nothing personal.
with messages as (
    select * from {{ ref('int_conversation_messages') }}
)

select
    customer_id,
    workspace,
    'Customer ' || upper(left(customer_id, 6)) as customer_label,
    min(case when author_type = 'customer' then sent_at end) as first_message_at,
    min(sent_at) as first_seen_at
from messages
where customer_id is not null and is_counted
group by customer_id, workspace
