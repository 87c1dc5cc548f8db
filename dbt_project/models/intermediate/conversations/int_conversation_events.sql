-- What happened in a conversation, in order, with how things stood just before: who wrote, opened, closed, read.
-- At one instant a reopening comes before the messages and a close and a read come after them. What is gone from its
-- inbox is neither unread nor waiting any more.
with messages as (
    select * from {{ ref('int_conversation_messages') }}
),

status_changes as (
    select * from {{ ref('int_status_changes') }}
),

reads as (
    select * from {{ ref('int_reads') }}
),

gone_conversations as (
    select * from {{ ref('int_gone_conversations') }}
),

happened as (
    select
        conversation_id,
        sent_at as happened_at,
        1 as instant_rank,
        message_order,
        case when author_type = 'customer' then 'customer' when is_human then 'human' else 'automation' end as event,
        message_id,
        author_source_id
    from messages
    where message_order is not null

    union all

    select
        conversation_id,
        occurred_at as happened_at,
        case status when 'open' then 0 else 2 end as instant_rank,
        0 as message_order,
        case
            when status = 'open' then 'opened'
            when changed_by = 'person' then 'closed_by_person'
            else 'closed_otherwise'
        end as event,
        cast(null as varchar) as message_id,
        actor_id as author_source_id
    from status_changes

    union all

    select
        conversation_id,
        read_at as happened_at,
        3 as instant_rank,
        0 as message_order,
        'read' as event,
        cast(null as varchar) as message_id,
        agent_source_id as author_source_id
    from reads

    union all

    select
        conversation_id,
        gone_at as happened_at,
        4 as instant_rank,
        0 as message_order,
        'gone' as event,
        cast(null as varchar) as message_id,
        cast(null as varchar) as author_source_id
    from gone_conversations
),

placed as (
    select
        *,
        row_number() over (
            partition by conversation_id
            order by happened_at, instant_rank, message_order, event, author_source_id nulls last
        ) as place
    from happened
),

-- place × 2 + 1 where the state begins, place × 2 where it ends: the last one is the largest
marked as (
    select
        *,
        case
            when event = 'customer' then place * 2 + 1
            when event in ('human', 'closed_by_person', 'gone') then place * 2
        end as waiting_marker,
        case
            when event = 'customer' then place * 2 + 1
            when event in ('human', 'closed_by_person', 'read', 'gone') then place * 2
        end as unread_marker,
        case
            when event = 'opened' then place * 2 + 1
            when event in ('closed_by_person', 'closed_otherwise') then place * 2
        end as open_marker
    from placed
)

select
    conversation_id,
    place,
    happened_at,
    event,
    message_id,
    message_order,
    author_source_id,
    coalesce(max(waiting_marker) over before % 2 = 1, false) as is_waiting_before,
    coalesce(max(unread_marker) over before % 2 = 1, false) as is_unread_before,
    -- a conversation begins open
    coalesce(max(open_marker) over before % 2 = 1, true) as is_open_before,
    1 + count(case when event = 'opened' then 1 end) over (
        partition by conversation_id order by place rows between unbounded preceding and current row
    ) as open_stretch
from marked
window before as (partition by conversation_id order by place rows between unbounded preceding and 1 preceding)
