-- The nodes of the touched people's phones until now.
with phone_nodes as (
    select * from {{ ref('int_identity__phone_nodes') }}
),

touched_phones as (
    select * from {{ touched('identity', 'phones') }}
)

select workspace, node
from phone_nodes
where (workspace, phone) in (select workspace, phone from touched_phones)
