-- Counted orders that came after a chat: assisted, never "caused". Every window is a filter on the gap.
with orders as (
    select * from {{ ref('fct_orders') }}
),

messages as (
    select * from {{ ref('fct_messages') }}
),

channels as (
    select conversation_id, max(channel) as channel
    from messages
    where conversation_id in (select orders.conversation_id from orders)
    group by conversation_id
)

select
    orders.order_id,
    orders.conversation_id,
    orders.workspace,
    channels.channel,
    orders.customer_id,
    orders.ordered_at,
    orders.ordered_local_date,
    orders.total,
    orders.currency,
    orders.is_store_currency,
    orders.attribution_gap_seconds,
    orders.attribution_gap_seconds <= 86400 as is_within_1_day,
    orders.attribution_gap_seconds <= 259200 as is_within_3_days,
    orders.attribution_gap_seconds <= 604800 as is_within_7_days,
    orders.attribution_gap_seconds <= 2419200 as is_within_28_days
from orders
left join channels
    on orders.conversation_id = channels.conversation_id
where orders.is_counted and orders.conversation_id is not null
