-- Open conversations in which a customer waits for a reply now, the longest wait first.
with chosen_workspaces as (
    select
        workspace,
        as_of
    from facts.dim_workspaces
    where
        1 = 1
        [[and workspace in (select workspace from facts.dim_dates where {{workspace}})]]
)

select
    conversations.customer_label,
    chosen_channels.channel_name,
    conversations.waiting_since,
    cast(extract(epoch from chosen_workspaces.as_of - conversations.waiting_since) as decimal(18, 6)) as wait_seconds,
    conversations.customer_messages,
    conversations.conversation_url
from facts.fct_conversations as conversations
inner join (@chosen_channels) as chosen_channels
    on conversations.workspace = chosen_channels.workspace and conversations.channel = chosen_channels.channel
inner join chosen_workspaces
    on conversations.workspace = chosen_workspaces.workspace
where conversations.is_waiting
order by conversations.waiting_since, conversations.conversation_id
