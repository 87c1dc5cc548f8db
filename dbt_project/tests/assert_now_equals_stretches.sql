-- A conversation's state now, worked out two ways: its row, and the stretches that last.
with turns as (
    select conversation_id, count(*) as lasting_turns
    from {{ ref('fct_turns') }}
    where ended_at is null
    group by conversation_id
),

unread as (
    select conversation_id, count(*) as lasting_spans
    from {{ ref('fct_unread_spans') }}
    where to_at is null
    group by conversation_id
)

select conversations.conversation_id
from {{ ref('fct_conversations') }} as conversations
left join turns
    on conversations.conversation_id = turns.conversation_id
left join unread
    on conversations.conversation_id = unread.conversation_id
where
    conversations.is_waiting <> (conversations.status = 'open' and coalesce(turns.lasting_turns, 0) > 0)
    or conversations.is_unread <> (coalesce(unread.lasting_spans, 0) > 0)
    or turns.lasting_turns > 1
    or unread.lasting_spans > 1
