-- What exports tell of the touched people.
with sightings as (
    select * from {{ ref('int_inbox__identities') }}
),

touched_phones as (
    select * from {{ touched('identity', 'phones') }}
),

touched_user_ids as (
    select * from {{ touched('identity', 'user_ids') }}
)

select workspace, user_id, phone, seen_at
from sightings
where
    (sightings.workspace, sightings.phone) in (select workspace, phone from touched_phones)
    or (sightings.workspace, sightings.user_id) in (select workspace, user_id from touched_user_ids)
