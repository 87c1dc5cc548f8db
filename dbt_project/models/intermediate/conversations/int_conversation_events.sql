{{ config(meta={'stage': 'people', 'touched': {'people.conversations': ['conversation_id']}}) }}

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
        author_source_id,
        author_type = 'unknown' as is_by_unknown
    from messages
    where message_order is not null

    union all

    select
        conversation_id,
        occurred_at as happened_at,
        case status when 'open' then 0 else 2 end as instant_rank,
        cast(null as bigint) as message_order,
        case
            when status = 'open' then 'opened'
            when changed_by = 'person' then 'closed_by_person'
            else 'closed_otherwise'
        end as event,
        actor_id as author_source_id,
        false as is_by_unknown
    from status_changes

    union all

    select
        conversation_id,
        read_at as happened_at,
        3 as instant_rank,
        cast(null as bigint) as message_order,
        'read' as event,
        agent_source_id as author_source_id,
        false as is_by_unknown
    from reads

    union all

    select
        conversation_id,
        gone_at as happened_at,
        4 as instant_rank,
        cast(null as bigint) as message_order,
        'gone' as event,
        cast(null as string) as author_source_id,
        false as is_by_unknown
    from gone_conversations
),

-- whether what happens begins a state or ends it
marked as (
    select
        *,
        case
            when event = 'customer' then true
            when event in ('human', 'closed_by_person', 'gone') then false
        end as leaves_waiting,
        case
            when event = 'customer' then true
            when event in ('human', 'closed_by_person', 'read', 'gone') then false
        end as leaves_unread,
        case
            when event = 'opened' then true
            when event in ('closed_by_person', 'closed_otherwise') then false
        end as leaves_open
    from happened
)

select
    conversation_id,
    row_number() over in_order as place,
    happened_at,
    event,
    message_order,
    author_source_id,
    is_by_unknown,
    coalesce({{ last_known('leaves_waiting') }} over before, false) as is_waiting_before,
    coalesce({{ last_known('leaves_unread') }} over before, false) as is_unread_before,
    -- a conversation begins open
    coalesce({{ last_known('leaves_open') }} over before, true) as is_open_before,
    1 + count(case when event = 'opened' then 1 end) over up_to_here as open_stretch
from marked
window
    in_order as (
        partition by conversation_id
        order by happened_at, instant_rank, message_order, event, author_source_id nulls last
    ),
    before as (
        partition by conversation_id
        order by happened_at, instant_rank, message_order, event, author_source_id nulls last
        rows between unbounded preceding and 1 preceding
    ),
    up_to_here as (
        partition by conversation_id
        order by happened_at, instant_rank, message_order, event, author_source_id nulls last
        rows between unbounded preceding and current row
    )
