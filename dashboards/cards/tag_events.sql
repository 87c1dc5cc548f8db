-- Every application and removal of a tag, the newest first: who and when.
with ranges as (
    select * from (@ranges) as both_ranges
)

select
    tags.occurred_at,
    tags.tag,
    tags.action,
    tags.actor_type,
    coalesce(tags.actor_name, '–') as actor_name,
    tags.evidence,
    tags.action = 'applied' as is_use,
    conversations.customer_label,
    chosen_channels.channel_name,
    conversations.conversation_url
from facts.fct_tags as tags
inner join ranges
    on
        tags.workspace = ranges.workspace
        and ranges.range_name = 'chosen'
        and tags.occurred_at >= ranges.from_at
        and tags.occurred_at < ranges.until_at
inner join (@chosen_channels) as chosen_channels
    on tags.workspace = chosen_channels.workspace and tags.channel = chosen_channels.channel
inner join facts.fct_conversations as conversations
    on tags.conversation_id = conversations.conversation_id
where
    (tags.action = 'removed' or not tags.is_baseline)
    [[and tags.tag in (select tag from facts.fct_tags where {{tag}})]]
order by tags.occurred_at desc, tags.tag, tags.conversation_id
