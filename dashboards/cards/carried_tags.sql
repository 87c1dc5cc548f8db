-- The tags that conversations carried at any instant of each range. It stands in a query that has ranges.
with tag_stretches as (
    select
        workspace,
        conversation_id,
        tag,
        action,
        occurred_at as from_at,
        lead(occurred_at) over (partition by conversation_id, tag order by occurred_at, action desc) as to_at
    from facts.fct_tags
)

select
    ranges.range_name,
    tag_stretches.conversation_id,
    tag_stretches.tag
from tag_stretches
inner join ranges
    on
        tag_stretches.workspace = ranges.workspace
        and tag_stretches.from_at < ranges.until_at
        and (tag_stretches.to_at is null or tag_stretches.to_at > ranges.from_at)
where tag_stretches.action = 'applied'
