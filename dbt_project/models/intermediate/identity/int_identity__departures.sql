{{ config(meta={'stage': 'identity', 'touched': {'identity.phones': ['workspace', 'phone']}}) }}

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
numbers_of_old_ids as (
    select
        changes.workspace,
        changes.previous_user_id,
        changes.current_user_id,
        sightings.phone,
        changes.happened_at as left_at,
        min(sightings.seen_at) as first_seen_at,
        max(sightings.seen_at) as last_seen_at
    from changes
    inner join sightings
        on changes.workspace = sightings.workspace and changes.previous_user_id = sightings.user_id
    where
        sightings.phone is not null
        and sightings.seen_at < changes.happened_at
        and sightings.phone is distinct from changes.current_phone
    group by
        changes.workspace,
        changes.previous_user_id,
        changes.current_user_id,
        sightings.phone,
        changes.happened_at
),

departures as (
    select workspace, phone, left_at from told_by_number
    union
    select workspace, phone, left_at from numbers_of_old_ids
),

-- but not those left already: by then somebody else may have the number, and is not to be cut in two
left_already as (
    select numbers_of_old_ids.workspace, numbers_of_old_ids.phone, numbers_of_old_ids.left_at
    from numbers_of_old_ids
    inner join departures
        on
            numbers_of_old_ids.workspace = departures.workspace
            and numbers_of_old_ids.phone = departures.phone
            and numbers_of_old_ids.last_seen_at < departures.left_at
            and numbers_of_old_ids.left_at > departures.left_at
),

taken_over as (
    select numbers_of_old_ids.workspace, numbers_of_old_ids.phone, numbers_of_old_ids.left_at
    from numbers_of_old_ids
    inner join sightings
        on
            numbers_of_old_ids.workspace = sightings.workspace
            and numbers_of_old_ids.phone = sightings.phone
            and numbers_of_old_ids.previous_user_id <> sightings.user_id
            and numbers_of_old_ids.current_user_id is distinct from sightings.user_id
    where sightings.seen_at < numbers_of_old_ids.left_at
    group by
        numbers_of_old_ids.workspace,
        numbers_of_old_ids.phone,
        numbers_of_old_ids.left_at,
        numbers_of_old_ids.first_seen_at,
        sightings.user_id
    having min(sightings.seen_at) > numbers_of_old_ids.first_seen_at
),

told_by_id as (
    select workspace, phone, left_at from numbers_of_old_ids
    except
    select workspace, phone, left_at from left_already
    except
    select workspace, phone, left_at from taken_over
)

select workspace, phone, left_at
from told_by_number

union

select workspace, phone, left_at
from told_by_id
