-- Per tag: its uses in the range, and the figures of the conversations that carried it at any instant of the range.
with ranges as (
    select * from (@ranges) as both_ranges
),

chosen_range as (
    select *
    from ranges
    where range_name = 'chosen'
),

chosen_tags as (
    select
        tags.workspace,
        tags.conversation_id,
        tags.tag,
        tags.action,
        tags.is_baseline,
        tags.seconds_from_start,
        tags.occurred_at as from_at,
        lead(tags.occurred_at) over (
            partition by tags.conversation_id, tags.tag order by tags.occurred_at, tags.action desc
        ) as to_at
    from facts.fct_tags as tags
    inner join (@chosen_channels) as chosen_channels
        on tags.workspace = chosen_channels.workspace and tags.channel = chosen_channels.channel
    where
        1 = 1
        [[and tags.tag in (select tag from facts.fct_tags where {{tag}})]]
),

uses as (
    select
        chosen_tags.tag,
        count(*) as applications,
        avg(chosen_tags.seconds_from_start) as avg_seconds_from_start
    from chosen_tags
    inner join chosen_range
        on
            chosen_tags.workspace = chosen_range.workspace
            and chosen_tags.from_at >= chosen_range.from_at
            and chosen_tags.from_at < chosen_range.until_at
    where chosen_tags.action = 'applied' and not chosen_tags.is_baseline
    group by chosen_tags.tag
),

carried as (
    select
        chosen_tags.tag,
        chosen_tags.conversation_id,
        chosen_range.from_at,
        chosen_range.until_at,
        max(case when chosen_tags.to_at is null then 1 else 0 end) as is_carried_now
    from chosen_tags
    inner join chosen_range
        on
            chosen_tags.workspace = chosen_range.workspace
            and chosen_tags.from_at < chosen_range.until_at
            and (chosen_tags.to_at is null or chosen_tags.to_at > chosen_range.from_at)
    where chosen_tags.action = 'applied'
    group by chosen_tags.tag, chosen_tags.conversation_id, chosen_range.from_at, chosen_range.until_at
),

messages_of_tag as (
    select
        carried.tag,
        count(*) as messages,
        count(distinct messages.conversation_id) as conversations
    from carried
    inner join facts.fct_messages as messages
        on
            carried.conversation_id = messages.conversation_id
            and messages.sent_at >= carried.from_at
            and messages.sent_at < carried.until_at
    where messages.is_counted
    group by carried.tag
),

answers_of_tag as (
    select
        carried.tag,
        count(*) as answered_turns,
        sum(turns.response_seconds) as response_seconds_sum
    from carried
    inner join facts.fct_turns as turns
        on
            carried.conversation_id = turns.conversation_id
            and turns.answered_at >= carried.from_at
            and turns.answered_at < carried.until_at
    group by carried.tag
),

open_of_tag as (
    select
        carried.tag,
        count(*) as open_now
    from carried
    inner join facts.fct_conversations as conversations
        on carried.conversation_id = conversations.conversation_id
    where carried.is_carried_now = 1 and conversations.status = 'open'
    group by carried.tag
),

sales_of_tag as (
    select
        carried.tag,
        count(*) as assisted_orders,
        sum(case when sales.is_store_currency then sales.total end) as assisted_sales
    from carried
    inner join marts.mart_conversation_sales as sales
        on
            carried.conversation_id = sales.conversation_id
            and sales.ordered_at >= carried.from_at
            and sales.ordered_at < carried.until_at
    where sales.is_within_3_days
    group by carried.tag
),

tags as (
    select tag
    from carried
    group by tag
)

select
    tags.tag,
    coalesce(uses.applications, 0) as applications,
    coalesce(messages_of_tag.conversations, 0) as conversations,
    coalesce(messages_of_tag.messages, 0) as messages,
    cast(answers_of_tag.response_seconds_sum / nullif(answers_of_tag.answered_turns, 0) as decimal(18, 6))
        as avg_response_seconds,
    cast(uses.avg_seconds_from_start as decimal(18, 6)) as avg_seconds_from_start,
    coalesce(open_of_tag.open_now, 0) as open_now,
    coalesce(sales_of_tag.assisted_orders, 0) as assisted_orders,
    sales_of_tag.assisted_sales
from tags
left join uses
    on tags.tag = uses.tag
left join messages_of_tag
    on tags.tag = messages_of_tag.tag
left join answers_of_tag
    on tags.tag = answers_of_tag.tag
left join open_of_tag
    on tags.tag = open_of_tag.tag
left join sales_of_tag
    on tags.tag = sales_of_tag.tag
order by coalesce(uses.applications, 0) desc, tags.tag
