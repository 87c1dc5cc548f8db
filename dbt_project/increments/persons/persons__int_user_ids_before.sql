-- Who these ids were until now.
with persons as (
    select * from {{ ref('int_user_ids') }}
),

touched_names as (
    select * from {{ touched('identity', 'user_ids') }}
)

select persons.*
from persons
where (persons.workspace, persons.user_id) in (select workspace, user_id from touched_names)
