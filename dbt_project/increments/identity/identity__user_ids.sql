-- The touched people's business-scoped ids.
with everybody as (
    select * from {{ touched('identity', 'touched') }}
)

select workspace, substr(name, 2) as user_id
from everybody
where left(name, 1) = 'i'
