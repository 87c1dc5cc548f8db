-- Who these phones were until now.
with persons as (
    select * from {{ ref('int_phone_periods') }}
),

touched_names as (
    select * from {{ touched('identity', 'phones') }}
)

select persons.*
from persons
where (persons.workspace, persons.phone) in (select workspace, phone from touched_names)
