-- Open and closed make the total, authors make the messages, and new conversations add up over channels.
with per_channel as (
    select workspace, period, sum(new_conversations) as new_conversations, sum(messages) as messages
    from {{ ref('mart_summary_metrics') }}
    where channel <> 'all'
    group by workspace, period
)

select summary.*
from {{ ref('mart_summary_metrics') }} as summary
left join per_channel
    on summary.workspace = per_channel.workspace and summary.period = per_channel.period and summary.channel = 'all'
where
    summary.open_conversations + summary.closed_conversations <> summary.total_conversations
    or summary.customer_messages + summary.agent_messages + summary.automation_messages + summary.unknown_messages
    <> summary.messages
    or summary.new_conversations <> coalesce(per_channel.new_conversations, summary.new_conversations)
    or summary.messages <> coalesce(per_channel.messages, summary.messages)
