-- The threads (number and customer) of the touched messages, each with the first moment that may differ.
with messages as (
    select * from {{ touched('identity', 'messages') }}
),

user_ids as (
    select * from {{ touched('persons', 'int_user_ids') }}
),

phone_periods as (
    select * from {{ touched('persons', 'int_phone_periods') }}
)

select
    coalesce(user_ids.customer_id, phone_periods.customer_id) as customer_id,
    messages.phone_number_id as channel,
    min(messages.sent_at) as differs_at
from messages
left join user_ids
    on messages.workspace = user_ids.workspace and messages.customer_user_id = user_ids.user_id
left join phone_periods
    on
        messages.workspace = phone_periods.workspace
        and messages.customer_phone = phone_periods.phone
        and messages.sent_at >= phone_periods.from_at
        and messages.sent_at < phone_periods.to_at
where coalesce(user_ids.customer_id, phone_periods.customer_id) is not null
group by coalesce(user_ids.customer_id, phone_periods.customer_id), messages.phone_number_id
