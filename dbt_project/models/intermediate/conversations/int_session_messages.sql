{{ config(materialized='view') }}

-- Messages of sources without conversations, with the conversation that each is cut into and their place in it. A
-- thread (number × person) is cut where a message comes more than session_gap after the last, except an agent's while
-- the customer still waits for one: that is the late answer.
--
-- Without recursion: somebody waits just before a message exactly if the last of {customer, human, automation after a
-- gap} before it is a customer. A human message leaves nobody waiting whether it cuts or not, and every other cut
-- depends on its own gap only, so the conditional cut never feeds back.
with messages as (
    select * from {{ ref('int_messages') }}
),

workspaces as (
    select * from {{ ref('stg_settings__workspaces') }}
),

user_ids as (
    select * from {{ ref('int_user_ids') }}
),

phone_periods as (
    select * from {{ ref('int_phone_periods') }}
),

-- without a recipient there is no thread; group traffic and what an inbox lacks are in none
of_customers as (
    select
        messages.message_id,
        messages.workspace,
        messages.account,
        coalesce(user_ids.customer_id, phone_periods.customer_id) as customer_id,
        messages.source_message_id,
        {{ microseconds('messages.sent_at') }} as sent_us,
        messages.received_at,
        messages.position,
        messages.author_type = 'customer' as is_customers,
        messages.is_human,
        messages.is_counted
    from messages
    left join user_ids
        on messages.workspace = user_ids.workspace and messages.customer_user_id = user_ids.user_id
    left join phone_periods
        on
            messages.workspace = phone_periods.workspace
            and messages.customer_phone = phone_periods.phone
            and messages.sent_at >= phone_periods.from_at
            and messages.sent_at < phone_periods.to_at
    where
        messages.ticket_id is null
        and not messages.is_group
        and not messages.is_missing_in_inbox
        and coalesce(user_ids.customer_id, phone_periods.customer_id) is not null
),

-- a number for each, whoever counts: putting messages in order by three texts takes twice as long
threads as (
    select
        of_customers.workspace,
        of_customers.account,
        of_customers.customer_id,
        workspaces.session_gap_seconds * 1000000 as gap_us,
        row_number() over (order by of_customers.workspace, of_customers.account, of_customers.customer_id) as thread
    from of_customers
    inner join workspaces
        on of_customers.workspace = workspaces.workspace
    group by of_customers.workspace, of_customers.account, of_customers.customer_id, workspaces.session_gap_seconds
),

threaded as (
    select
        of_customers.message_id,
        of_customers.source_message_id,
        of_customers.sent_us,
        of_customers.received_at,
        of_customers.position,
        of_customers.is_customers,
        of_customers.is_human,
        of_customers.is_counted,
        threads.thread,
        threads.gap_us
    from of_customers
    inner join threads
        on
            of_customers.workspace = threads.workspace
            and of_customers.account = threads.account
            and of_customers.customer_id = threads.customer_id
),

counted as (
    select
        thread,
        message_id,
        sent_us,
        is_customers,
        is_human,
        row_number() over in_order as place,
        coalesce(sent_us - lag(sent_us) over in_order > gap_us, true) as comes_after_a_gap
    from threaded
    where is_counted
    window in_order as (partition by thread order by sent_us, received_at nulls last, position, source_message_id)
),

-- whether somebody waits after a message, where it begins or ends a wait
marked as (
    select
        *,
        case when is_customers then true when is_human or comes_after_a_gap then false end as leaves_waiting
    from counted
),

with_waiting as (
    select
        *,
        coalesce(
            {{ last_known('leaves_waiting') }} over (
                partition by thread order by place rows between unbounded preceding and 1 preceding
            ),
            false
        ) as somebody_waits
    from marked
),

with_cuts as (
    select
        *,
        case when comes_after_a_gap and not (is_human and somebody_waits) then place end as cut_place
    from with_waiting
),

placed as (
    select
        thread,
        message_id,
        sent_us,
        {{ last_known('cut_place') }} over up_to_here as first_place,
        place,
        cut_place
    from with_cuts
    window up_to_here as (partition by thread order by place rows between unbounded preceding and current row)
),

-- a conversation is known by the message that begins it
conversations as (
    select
        placed.thread,
        placed.place as first_place,
        {{ keyed_hash([
            "'conversation'", "of_customers.workspace", "'whatsapp'", "of_customers.account",
            "of_customers.source_message_id",
        ]) }} as conversation_id
    from placed
    inner join of_customers
        on placed.message_id = of_customers.message_id
    where placed.cut_place is not null
),

-- from the first message to a gap after the last; stretches of one thread never touch
stretches as (
    select
        thread,
        first_place,
        min(sent_us) as first_us,
        max(sent_us) as last_us
    from placed
    group by thread, first_place
),

conversations_of_messages as (
    select message_id, thread, first_place, place + 1 - first_place as message_order
    from placed

    union all

    -- a failed message neither starts nor prolongs a conversation: it hangs on the one it falls in, if any
    select threaded.message_id, threaded.thread, stretches.first_place, cast(null as bigint) as message_order
    from threaded
    left join stretches
        on
            threaded.thread = stretches.thread
            and threaded.sent_us >= stretches.first_us
            and threaded.sent_us - threaded.gap_us <= stretches.last_us
    where not threaded.is_counted
)

select
    conversations_of_messages.message_id,
    threads.customer_id,
    conversations.conversation_id,
    conversations_of_messages.message_order
from conversations_of_messages
inner join threads
    on conversations_of_messages.thread = threads.thread
left join conversations
    on
        conversations_of_messages.thread = conversations.thread
        and conversations_of_messages.first_place = conversations.first_place
