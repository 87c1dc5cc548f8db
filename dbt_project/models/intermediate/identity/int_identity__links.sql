{{ config(meta={'stage': 'persons', 'touched': {'persons.nodes': ['workspace', 'node']}}) }}

-- Pairs of nodes that an id update or a number change makes one person, both ways round.
with changes as (
    select * from {{ ref('int_identity__changes') }}
),

phone_nodes as (
    select * from {{ ref('int_identity__phone_nodes') }}
),

pairs as (
    select
        changes.workspace,
        coalesce('id|' || changes.previous_user_id, old_number.node) as node,
        coalesce('id|' || changes.current_user_id, new_number.node) as other_node
    from changes
    -- the old number's holder just before, the new number's from then on
    left join phone_nodes as old_number
        on
            changes.workspace = old_number.workspace
            and changes.previous_phone = old_number.phone
            and old_number.from_at < changes.happened_at
            and old_number.to_at >= changes.happened_at
    left join phone_nodes as new_number
        on
            changes.workspace = new_number.workspace
            and changes.current_phone = new_number.phone
            and new_number.from_at <= changes.happened_at
            and new_number.to_at > changes.happened_at
),

told as (
    select workspace, node, other_node
    from pairs
    where node is not null and other_node is not null and node <> other_node
)

select workspace, node, other_node
from told

union

select workspace, other_node as node, node as other_node
from told
