-- Which names of people belong together: an id and a phone seen with each other, and what a change names in one breath.
-- Both ways round. A name is an id or a phone, told apart by its first letter.
with sightings as (
    select * from {{ ref('int_identity__sightings') }}
),

new_sightings as (
    select * from {{ touched('told', 'sightings') }}
),

changes as (
    select * from {{ ref('int_identity__changes') }}
),

names_of_changes as (
    select workspace, previous_user_id, 'i' || previous_user_id as name, 'i' || current_user_id as other_name
    from changes

    union all

    select workspace, previous_user_id, 'i' || previous_user_id as name, 'p' || previous_phone as other_name
    from changes

    union all

    select workspace, previous_user_id, 'i' || previous_user_id as name, 'p' || current_phone as other_name
    from changes

    union all

    select workspace, previous_user_id, 'i' || current_user_id as name, 'p' || previous_phone as other_name
    from changes

    union all

    select workspace, previous_user_id, 'i' || current_user_id as name, 'p' || current_phone as other_name
    from changes

    union all

    select workspace, previous_user_id, 'p' || previous_phone as name, 'p' || current_phone as other_name
    from changes
),

pairs as (
    select workspace, 'i' || user_id as name, 'p' || phone as other_name
    from sightings
    where user_id is not null and phone is not null

    union all

    select workspace, 'i' || user_id as name, 'p' || phone as other_name
    from new_sightings
    where user_id is not null and phone is not null

    union all

    select workspace, name, other_name
    from names_of_changes
    where name is not null and other_name is not null
)

select workspace, name, other_name
from pairs

union

select workspace, other_name as name, name as other_name
from pairs
