-- Ids and phones as they were newly seen.
with sightings as (
    select * from {{ ref('int_whatsapp__identities') }}
)

select workspace, user_id, phone, seen_at
from sightings
