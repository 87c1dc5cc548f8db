-- Orders after a chat by the tags that its conversation carried in the range; one with two tags counts in both.
with ranges as (
    select * from (@ranges) as both_ranges
),

tags as (
    select conversation_id, tag
    from (@carried_tags) as carried_tags
    where range_name = 'chosen'
    group by conversation_id, tag
)

select
    tags.tag,
    count(*) as assisted_orders,
    sum(case when orders.is_store_currency then orders.total end) as assisted_sales
from (@orders_after_chats) as orders
inner join tags
    on orders.conversation_id = tags.conversation_id
where orders.is_assisted
group by tags.tag
order by count(*) desc, tags.tag
