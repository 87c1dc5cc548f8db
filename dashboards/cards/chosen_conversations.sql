-- Every conversation of the chosen range as it stood at its end, with what a row says of it. It stands in a query that
-- has ranges, chosen_channels, carried_tags and messages.
select
    then_conversations.*,
    known.customer_label,
    known.conversation_url,
    known.started_at,
    chosen_channels.channel_name
from (@conversations_then) as then_conversations
inner join facts.fct_conversations as known
    on then_conversations.conversation_id = known.conversation_id
inner join chosen_channels
    on known.workspace = chosen_channels.workspace and known.channel = chosen_channels.channel
where then_conversations.range_name = 'chosen'
