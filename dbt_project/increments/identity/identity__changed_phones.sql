-- Of the touched people's phones those that may have changed hands: of these each sighting counts, not only the first.
with changes as (
    select * from {{ touched('identity', 'int_identity__changes') }}
),

sightings as (
    select * from {{ ref('int_identity__sightings') }}
),

new_sightings as (
    select * from {{ touched('told', 'sightings') }}
),

seen as (
    select workspace, user_id, phone from sightings
    union
    select workspace, user_id, phone from new_sightings
)

select workspace, previous_phone as phone
from changes
where previous_phone is not null

union

select seen.workspace, seen.phone
from seen
inner join changes
    on seen.workspace = changes.workspace and seen.user_id = changes.previous_user_id
where seen.phone is not null
