-- Everybody whom something new concerns, by every name they ever had: nothing that joins people leads out of this.
with recursive seeds as (
    select * from {{ touched('identity', 'seeds') }}
),

together as (
    select * from {{ touched('identity', 'together') }}
),

reached as (
    select workspace, 'i' || user_id as name
    from seeds
    where user_id is not null

    union

    select workspace, 'p' || phone as name
    from seeds
    where phone is not null

    union

    select together.workspace, together.other_name as name
    from reached
    inner join together
        on reached.workspace = together.workspace and reached.name = together.name
)

select workspace, name
from reached
