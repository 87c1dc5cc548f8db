-- The touched people's sightings: what the last build kept of them, what is new, and all there ever were of phones that
-- may have changed hands.
with new_sightings as (
    select * from {{ touched('told', 'sightings') }}
),

kept as (
    select * from {{ ref('int_identity__sightings') }}
),

sightings as (
    select * from {{ ref('int_whatsapp__identities') }}
),

changed_phones as (
    select * from {{ touched('identity', 'changed_phones') }}
),

touched_phones as (
    select * from {{ touched('identity', 'phones') }}
),

touched_user_ids as (
    select * from {{ touched('identity', 'user_ids') }}
)

select workspace, user_id, phone, seen_at
from new_sightings

union all

select workspace, user_id, phone, seen_at
from kept
where
    (kept.workspace, kept.phone) in (select workspace, phone from touched_phones)
    or (kept.workspace, kept.user_id) in (select workspace, user_id from touched_user_ids)

union all

select workspace, user_id, phone, seen_at
from sightings
where (workspace, phone) in (select workspace, phone from changed_phones)
