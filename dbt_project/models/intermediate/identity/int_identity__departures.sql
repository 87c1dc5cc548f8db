-- When a number stopped being its holder's: what comes from it later is another person.
with changes as (
    select * from {{ ref('int_identity__changes') }}
),

sightings as (
    select * from {{ ref('int_identity__sightings') }}
),

told_by_number as (
    select workspace, previous_phone as phone, happened_at as left_at
    from changes
    where previous_phone is not null and previous_phone is distinct from current_phone
),

-- an id is given anew when its person takes another number, so the numbers of the old id are left
told_by_id as (
    select
        changes.workspace,
        sightings.phone,
        changes.happened_at as left_at
    from changes
    inner join sightings
        on changes.workspace = sightings.workspace and changes.previous_user_id = sightings.user_id
    where
        sightings.phone is not null
        and sightings.seen_at < changes.happened_at
        and sightings.phone is distinct from changes.current_phone
)

select workspace, phone, left_at
from told_by_number

union

select workspace, phone, left_at
from told_by_id
