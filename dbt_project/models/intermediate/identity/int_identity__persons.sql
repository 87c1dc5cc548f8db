{{ config(meta={'stage': 'persons', 'touched': {'persons.nodes': ['workspace', 'node']}}) }}

-- The person behind every node: nodes that links join are one, named after the one seen first. The id of a
-- customer in facts is made here, once a person.
with recursive links as (
    select * from {{ ref('int_identity__links') }}
),

phone_nodes as (
    select * from {{ ref('int_identity__phone_nodes') }}
),

sightings as (
    select * from {{ ref('int_identity__sightings') }}
),

id_nodes as (
    select workspace, 'id|' || user_id as node, min(seen_at) as first_seen_at
    from sightings
    where user_id is not null
    group by workspace, user_id
),

all_nodes as (
    select workspace, node, min(first_seen_at) as first_seen_at
    from (
        select workspace, node, first_seen_at from id_nodes
        union all
        select workspace, node, from_at as first_seen_at from phone_nodes
        where node like 'phone|%'
        union all
        select workspace, node, {{ instant('9999-12-31 00:00:00+00') }} as first_seen_at from links
    ) as named
    group by workspace, node
),

{{ everything_reached('links') }},

members as (
    select workspace, node, other_node as member from reached
    union
    select workspace, node, node as member from all_nodes
),

named_after as (
    select
        members.workspace,
        members.node,
        members.member,
        row_number() over (
            partition by members.workspace, members.node order by all_nodes.first_seen_at, members.member
        ) as seniority
    from members
    inner join all_nodes
        on members.workspace = all_nodes.workspace and members.member = all_nodes.node
)

select
    workspace,
    node,
    member as person_key,
    {{ keyed_hash(["'customer'", 'workspace', 'member']) }} as customer_id
from named_after
where seniority = 1
