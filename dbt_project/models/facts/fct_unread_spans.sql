{{ config(meta={'stage': 'people', 'touched': {'people.conversations': ['conversation_id']}}) }}

-- When a conversation held something a customer wrote that nobody had looked at.
with events as (
    select * from {{ ref('int_conversation_events') }}
),

conversations as (
    select * from {{ ref('int_conversations') }}
),

numbered as (
    select
        *,
        sum(case when event = 'customer' and not is_unread_before then 1 else 0 end) over (
            partition by conversation_id order by place rows between unbounded preceding and current row
        ) as span_number
    from events
)

select
    numbered.conversation_id,
    min(conversations.workspace) as workspace,
    min(conversations.channel) as channel,
    cast(numbered.span_number as integer) as span_number,
    min(case when numbered.event = 'customer' then numbered.happened_at end) as from_at,
    min(
        case
            when numbered.event in ('human', 'closed_by_person', 'read', 'gone') and numbered.is_unread_before
                then numbered.happened_at
        end
    ) as to_at
from numbered
inner join conversations
    on numbered.conversation_id = conversations.conversation_id
where numbered.span_number > 0
group by numbered.conversation_id, numbered.span_number
