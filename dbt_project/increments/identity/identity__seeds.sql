-- Ids and phones that something new concerns: they were seen, or a message of theirs is touched.
with sightings as (
    select * from {{ touched('told', 'sightings') }}
),

messages as (
    select * from {{ touched('identity', 'messages') }}
),

salla as (
    select * from {{ ref('int_salla__identities') }}
),

known as (
    select * from {{ ref('int_identity__sightings') }}
),

-- a pair counts from when it was seen first; what was told before may be of a time that has come only now
newly_known as (
    select salla.workspace, salla.user_id, salla.phone
    from salla
    left join known
        on
            salla.workspace = known.workspace
            and salla.phone = known.phone
            and salla.seen_at >= known.seen_at
            and known.user_id is null
    where known.phone is null or salla.seen_at >= {{ last_as_of() }}
)

select workspace, user_id, phone
from sightings

union

select workspace, customer_user_id as user_id, customer_phone as phone
from messages
where customer_user_id is not null or customer_phone is not null

union

select workspace, user_id, phone
from newly_known
