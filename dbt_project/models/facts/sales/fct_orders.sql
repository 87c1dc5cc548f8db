-- One row per order made before as_of, with the customer, the person and the conversation it belongs to.
with orders as (
    select * from {{ ref('int_salla__orders') }}
),

stores as (
    select * from {{ ref('stg_salla__stores') }}
),

report_statuses as (
    select * from {{ ref('stg_salla__report_statuses') }}
),

phone_periods as (
    select * from {{ ref('int_phone_periods') }}
),

messages as (
    select * from {{ ref('fct_messages') }}
),

-- read once more: what a query reads twice under one name is held in memory as a whole
messages_of_customers as (
    select * from {{ ref('fct_messages') }}
),

made as (
    select
        orders.*,
        stores.timezone,
        {{ local_timestamp('orders.ordered_at', 'stores.timezone') }} as ordered_local,
        -- the person who held the number when ordering; without a number, the store's own customer
        coalesce(
            phone_periods.person_key,
            'salla|' || orders.customer_id,
            'salla phone|' || orders.phone
        ) as person_key
    from orders
    inner join stores
        on orders.workspace = stores.workspace
    left join phone_periods
        on
            orders.workspace = phone_periods.workspace
            and orders.phone = phone_periods.phone
            and orders.ordered_at >= phone_periods.from_at
            and orders.ordered_at < phone_periods.to_at
    where orders.ordered_at < stores.as_of
),

keyed as (
    select
        made.*,
        {{ keyed_hash(["'order'", 'made.workspace', 'made.order_id']) }} as order_key,
        case
            when made.person_key is not null then {{ keyed_hash(["'customer'", 'made.workspace', 'made.person_key']) }}
        end as customer_key,
        case
            when made.customer_id is not null
                then {{ keyed_hash(["'store customer'", 'made.workspace', 'made.customer_id']) }}
        end as store_customer_key,
        case
            when made.is_counted and made.customer_id is not null
                then row_number() over (
                    partition by made.workspace, made.customer_id, made.is_counted
                    order by made.ordered_at, made.order_id
                )
        end as counted_order_number
    from made
),

-- whether the merchant ticked the order's status for Salla's own reports
ticked as (
    select workspace, status_slug, bool_or(coalesce(is_selected, false)) as is_selected
    from report_statuses
    where status_slug is not null
    group by workspace, status_slug
),

stores_with_reports as (
    select workspace
    from report_statuses
    group by workspace
),

customers_with_orders as (
    select workspace, customer_key
    from keyed
    where customer_key is not null
    group by workspace, customer_key
),

-- Sales after a chat: the conversation of the customer's latest customer or agent message at or before the order,
-- if the customer had written in it by then.
customer_starts as (
    select
        of_customers.workspace,
        of_customers.customer_id,
        of_customers.conversation_id,
        min(of_customers.sent_at) as first_customer_message_at
    from messages_of_customers as of_customers
    inner join customers_with_orders
        on
            of_customers.workspace = customers_with_orders.workspace
            and of_customers.customer_id = customers_with_orders.customer_key
    where of_customers.author_type = 'customer' and of_customers.is_counted and of_customers.conversation_id is not null
    group by of_customers.workspace, of_customers.customer_id, of_customers.conversation_id
),

human_messages as (
    select
        messages.workspace,
        messages.customer_id,
        messages.conversation_id,
        messages.sent_at,
        customer_starts.first_customer_message_at,
        -- of two messages of one instant, that of a conversation the customer writes in comes last
        row_number() over (
            partition by messages.workspace, messages.customer_id
            order by
                messages.sent_at,
                case when customer_starts.first_customer_message_at <= messages.sent_at then 1 else 0 end,
                messages.conversation_id,
                messages.message_order,
                messages.message_id
        ) as message_number
    from messages
    inner join customers_with_orders
        on messages.workspace = customers_with_orders.workspace and messages.customer_id = customers_with_orders.customer_key
    left join customer_starts
        on
            messages.workspace = customer_starts.workspace
            and messages.customer_id = customer_starts.customer_id
            and messages.conversation_id = customer_starts.conversation_id
    where
        messages.is_counted
        and messages.conversation_id is not null
        and (messages.author_type in ('customer', 'agent') or (messages.author_type = 'unknown' and messages.is_human))
),

timeline as (
    select
        workspace,
        customer_id,
        sent_at as happened_at,
        0 as is_order,
        message_number,
        cast(null as string) as order_key
    from human_messages

    union all

    select
        workspace,
        customer_key as customer_id,
        ordered_at as happened_at,
        1 as is_order,
        null as message_number,
        order_key
    from keyed
    where customer_key is not null
),

latest_messages as (
    select
        workspace,
        customer_id,
        order_key,
        happened_at,
        max(message_number) over (
            partition by workspace, customer_id
            order by happened_at, is_order
            range between unbounded preceding and current row
        ) as message_number
    from timeline
),

attributed as (
    select
        latest_messages.order_key,
        human_messages.conversation_id,
        human_messages.sent_at
    from latest_messages
    inner join human_messages
        on
            latest_messages.workspace = human_messages.workspace
            and latest_messages.customer_id = human_messages.customer_id
            and latest_messages.message_number = human_messages.message_number
    where
        latest_messages.order_key is not null
        and human_messages.first_customer_message_at <= latest_messages.happened_at
),

with_conversation as (
    select
        keyed.*,
        attributed.conversation_id,
        attributed.sent_at as last_message_at
    from keyed
    left join attributed
        on keyed.order_key = attributed.order_key
)

select
    with_conversation.order_key as order_id,
    with_conversation.reference_id as order_reference,
    with_conversation.workspace,
    with_conversation.customer_key as customer_id,
    with_conversation.store_customer_key as store_customer_id,
    with_conversation.status_slug,
    with_conversation.is_counted,
    case
        when stores_with_reports.workspace is null then null
        when with_conversation.is_deleted or with_conversation.is_draft then false
        else coalesce(ticked.is_selected, false)
    end as is_reported,
    with_conversation.is_deleted,
    with_conversation.ordered_at,
    cast(with_conversation.ordered_local as date) as ordered_local_date,
    cast(extract(hour from with_conversation.ordered_local) as integer) as ordered_local_hour,
    coalesce(with_conversation.store_total, with_conversation.order_total) as total,
    case
        when with_conversation.store_total is not null then with_conversation.store_currency
        else with_conversation.order_currency
    end as currency,
    with_conversation.store_total is not null as is_store_currency,
    with_conversation.order_total,
    with_conversation.order_currency,
    with_conversation.payment_method,
    with_conversation.city,
    with_conversation.source,
    with_conversation.utm_source,
    with_conversation.utm_campaign,
    case
        when with_conversation.customer_id is null then null
        else coalesce(with_conversation.counted_order_number = 1, false)
    end as is_first_order,
    with_conversation.conversation_id,
    cast(
        {{ seconds_between('with_conversation.last_message_at', 'with_conversation.ordered_at') }} as decimal(18, 6)
    ) as attribution_gap_seconds
from with_conversation
left join stores_with_reports
    on with_conversation.workspace = stores_with_reports.workspace
left join ticked
    on
        with_conversation.workspace = ticked.workspace
        and with_conversation.status_slug = ticked.status_slug
