-- Counted messages of each range. Of an agent's conversations every message counts, of the team's own messages the
-- agent's. It stands in a query that has ranges, chosen_channels and carried_tags.
with range_messages as (
    select
        ranges.range_name,
        messages.workspace,
        messages.channel,
        messages.conversation_id,
        messages.customer_id,
        messages.author_type,
        messages.agent_id,
        messages.sent_at,
        messages.sent_local_date,
        messages.sent_local_hour
    from facts.fct_messages as messages
    inner join ranges
        on
            messages.workspace = ranges.workspace
            and messages.sent_at >= ranges.from_at
            and messages.sent_at < ranges.until_at
    inner join chosen_channels
        on messages.workspace = chosen_channels.workspace and messages.channel = chosen_channels.channel
    where
        messages.is_counted
        [[and (ranges.range_name, messages.conversation_id) in (
            select range_name, conversation_id
            from carried_tags
            where tag in (select tag from facts.fct_tags where {{tag}})
        )]]
)

select *
from range_messages
where
    1 = 1
    [[and (author_type <> 'agent' or agent_id in (select agent_id from facts.dim_agents where {{agent}}))
    and (range_name, conversation_id) in (
        select range_name, conversation_id
        from range_messages
        where agent_id in (select agent_id from facts.dim_agents where {{agent}})
    )]]
