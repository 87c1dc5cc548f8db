-- All nodes of the touched people, those that they no longer have among them.
with nodes_before as (
    select * from {{ touched('identity', 'nodes_before') }}
),

nodes_now as (
    select * from {{ touched('identity', 'int_identity__phone_nodes') }}
),

touched_user_ids as (
    select * from {{ touched('identity', 'user_ids') }}
)

select workspace, node
from nodes_before

union

select workspace, node
from nodes_now

union

select workspace, 'id|' || user_id as node
from touched_user_ids
