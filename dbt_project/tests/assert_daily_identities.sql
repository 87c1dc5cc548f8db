-- Open and closed make the total, authors make the messages, closers make the closed.
select *
from {{ ref('mart_daily_metrics') }}
where
    open_conversations + closed_conversations <> total_conversations
    or customer_messages + agent_messages + automation_messages + unknown_messages <> messages
    or closed_by_person + closed_by_automation + closed_by_silence + closed_by_unknown <> closed_conversations
    or waiting_conversations > open_conversations
    or waiting_at_end > open_at_end
