-- The messages of the chosen range, the newest first: who wrote when, never what. is_in_full_hour: a customer's, of an
-- hour that is over, as the map of hours counts them.
with ranges as (
    select * from (@ranges) as both_ranges
),

chosen_channels as (
    select *
    from facts.dim_channels
    where {{channel}}
),

carried_tags as (
    select * from (@carried_tags) as tags
),

messages as (
    select *
    from (@range_messages) as counted_messages
    where range_name = 'chosen'
)

select
    customers.customer_label,
    chosen_channels.channel_name,
    messages.sent_at,
    dates.weekday,
    messages.sent_local_hour as hour_of_day,
    messages.author_type,
    agents.agent_name,
    messages.author_type = 'agent' as is_from_agent,
    messages.author_type = 'customer' and messages.sent_local_hour < dates.hours_over as is_in_full_hour,
    conversations.conversation_url
from messages
inner join chosen_channels
    on messages.workspace = chosen_channels.workspace and messages.channel = chosen_channels.channel
inner join facts.dim_dates as dates
    on messages.workspace = dates.workspace and messages.sent_local_date = dates.local_date
left join facts.dim_customers as customers
    on messages.customer_id = customers.customer_id
left join facts.fct_conversations as conversations
    on messages.conversation_id = conversations.conversation_id
left join (@agent_names) as agents
    on messages.agent_id = agents.agent_id
order by
    messages.sent_at desc,
    coalesce(customers.customer_label, ''),
    messages.author_type,
    chosen_channels.channel_name,
    coalesce(agents.agent_name, ''),
    coalesce(conversations.conversation_url, '')
