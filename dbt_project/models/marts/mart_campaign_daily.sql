-- What became of campaigns and templates, by the day and hour they were sent.
with messages as (
    select * from {{ ref('fct_messages') }}
),

-- read once more: what a query reads twice under one name is held in memory as a whole
answers as (
    select * from {{ ref('fct_messages') }}
),

orders as (
    select * from {{ ref('fct_orders') }}
),

workspaces as (
    select * from {{ ref('dim_workspaces') }}
),

sends as (
    select *
    from messages
    -- what the inbox lacks is in no figure
    where campaign is not null and not is_group and not is_missing_in_inbox
),

-- each send with the customer's first message within a day after it
replies as (
    select
        sends.message_id,
        min(answers.sent_at) as replied_at
    from sends
    inner join answers
        on
            sends.customer_id = answers.customer_id
            and sends.channel = answers.channel
            and answers.author_type = 'customer'
            and answers.is_counted
            and answers.sent_at > sends.sent_at
            and answers.sent_at <= sends.sent_at + interval '24 hours'
    -- nobody replies to what never came
    where sends.is_counted and sends.customer_id is not null
    group by sends.message_id
),

-- an order follows at most one send: the customer's latest within the window before it
orders_with_sends as (
    select
        orders.order_id,
        orders.total,
        sends.message_id,
        row_number() over (partition by orders.order_id order by sends.sent_at desc, sends.message_id asc) as latest_first
    from orders
    inner join workspaces
        on orders.workspace = workspaces.workspace
    inner join sends
        on
            orders.workspace = sends.workspace
            and orders.customer_id = sends.customer_id
            and sends.is_counted
            and sends.sent_at <= orders.ordered_at
    where
        orders.is_counted
        and orders.is_store_currency
        and {{ microseconds('orders.ordered_at') }} - {{ microseconds('sends.sent_at') }}
        <= workspaces.attribution_window_seconds * 1000000
),

orders_of_sends as (
    select message_id, count(*) as orders_after, sum(total) as sales_after
    from orders_with_sends
    where latest_first = 1
    group by message_id
)

select
    sends.sent_local_date as local_date,
    sends.sent_local_hour as local_hour,
    sends.campaign,
    sends.workspace,
    sends.channel,
    count(case when sends.is_counted then 1 end) as sent,
    count(case when sends.delivery_status in ('delivered', 'read', 'played') then 1 end) as delivered,
    count(case when sends.delivery_status in ('read', 'played') then 1 end) as read,
    count(case when sends.delivery_status = 'failed' then 1 end) as failed,
    count(replies.message_id) as replied,
    cast(coalesce(sum(orders_of_sends.orders_after), 0) as bigint) as orders_after,
    cast(coalesce(sum(orders_of_sends.sales_after), 0) as decimal(18, 4)) as sales_after
from sends
left join replies
    on sends.message_id = replies.message_id
left join orders_of_sends
    on sends.message_id = orders_of_sends.message_id
group by sends.sent_local_date, sends.sent_local_hour, sends.campaign, sends.workspace, sends.channel
