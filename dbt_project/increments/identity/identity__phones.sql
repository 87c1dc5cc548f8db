-- The touched people's phones.
with everybody as (
    select * from {{ touched('identity', 'touched') }}
)

select workspace, substr(name, 2) as phone
from everybody
where left(name, 1) = 'p'
