-- Ids and phones that something new concerns: they were seen, or a message of theirs is touched.
with sightings as (
    select * from {{ touched('told', 'sightings') }}
),

messages as (
    select * from {{ touched('identity', 'messages') }}
),

salla as (
    select * from {{ ref('int_salla__identities') }}
)

select workspace, user_id, phone
from sightings

union

select workspace, customer_user_id as user_id, customer_phone as phone
from messages
where customer_user_id is not null or customer_phone is not null

union

-- told before of a time that has come only now
select workspace, user_id, phone
from salla
where seen_at >= {{ last_as_of() }}
