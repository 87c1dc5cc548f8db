-- Messages of sources without conversations, with the conversation that each is cut into. A thread (number × person)
-- is cut where a message comes more than session_gap after the last, except an agent's while the customer still waits
-- for one: that is the late answer.
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
threaded as (
    select
        messages.message_id,
        messages.workspace,
        messages.account,
        messages.source_message_id,
        messages.sent_at,
        messages.author_type,
        messages.is_human,
        messages.is_counted,
        messages.received_at,
        messages.position,
        coalesce(user_ids.person_key, phone_periods.person_key) as person_key,
        {{ microseconds('messages.sent_at') }} as sent_us,
        workspaces.session_gap_seconds * 1000000 as gap_us
    from messages
    inner join workspaces
        on messages.workspace = workspaces.workspace
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
        and coalesce(user_ids.person_key, phone_periods.person_key) is not null
),

counted as (
    select
        *,
        row_number() over thread as place,
        lag(sent_us) over thread as previous_us,
        coalesce(sent_us - lag(sent_us) over thread > gap_us, true) as comes_after_a_gap
    from threaded
    where is_counted
    window thread as (
        partition by workspace, account, person_key
        order by sent_at, received_at nulls last, position, source_message_id
    )
),

-- place × 2 + 1 for a customer's, place × 2 for what ends a wait: the last one is the largest
marked as (
    select
        *,
        case
            when author_type = 'customer' then place * 2 + 1
            when is_human or comes_after_a_gap then place * 2
        end as marker
    from counted
),

with_waiting as (
    select
        *,
        coalesce(
            max(marker) over (
                partition by workspace, account, person_key
                order by place
                rows between unbounded preceding and 1 preceding
            ) % 2 = 1,
            false
        ) as somebody_waits
    from marked
),

with_cuts as (
    select
        *,
        comes_after_a_gap and not (is_human and somebody_waits and previous_us is not null) as cuts
    from with_waiting
),

cut_counted as (
    select
        *,
        max(case when cuts then place end) over (
            partition by workspace, account, person_key
            order by place
            rows between unbounded preceding and current row
        ) as first_place
    from with_cuts
),

first_messages as (
    select workspace, account, person_key, place, source_message_id as first_source_message_id
    from cut_counted
    where cuts
),

conversation_of_counted as (
    select
        cut_counted.message_id,
        cut_counted.workspace,
        cut_counted.account,
        cut_counted.person_key,
        cut_counted.sent_us,
        cut_counted.gap_us,
        first_messages.first_source_message_id
    from cut_counted
    inner join first_messages
        on
            cut_counted.workspace = first_messages.workspace
            and cut_counted.account = first_messages.account
            and cut_counted.person_key = first_messages.person_key
            and cut_counted.first_place = first_messages.place
),

-- from the first message to a gap after the last; stretches of one thread never touch
stretches as (
    select
        workspace,
        account,
        person_key,
        first_source_message_id,
        min(sent_us) as first_us,
        max(sent_us) + max(gap_us) as until_us
    from conversation_of_counted
    group by workspace, account, person_key, first_source_message_id
),

-- a failed message neither starts nor prolongs a conversation: it hangs on the one it falls in, if any
conversation_of_failed as (
    select
        threaded.message_id,
        stretches.first_source_message_id
    from threaded
    inner join stretches
        on
            threaded.workspace = stretches.workspace
            and threaded.account = stretches.account
            and threaded.person_key = stretches.person_key
            and threaded.sent_us >= stretches.first_us
            and threaded.sent_us <= stretches.until_us
    where not threaded.is_counted
)

select
    threaded.message_id,
    threaded.person_key,
    case
        when coalesce(conversation_of_counted.first_source_message_id, conversation_of_failed.first_source_message_id) is not null
            then {{ keyed_hash([
                "'conversation'", "threaded.workspace", "'whatsapp'", "threaded.account",
                "coalesce(conversation_of_counted.first_source_message_id, conversation_of_failed.first_source_message_id)",
            ]) }}
    end as conversation_id
from threaded
left join conversation_of_counted
    on threaded.message_id = conversation_of_counted.message_id
left join conversation_of_failed
    on threaded.message_id = conversation_of_failed.message_id
