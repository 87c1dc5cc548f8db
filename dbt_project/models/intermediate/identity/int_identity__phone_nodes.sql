{{ config(meta={'stage': 'identity', 'touched': {'identity.phones': ['workspace', 'phone']}}) }}

-- Whose a phone was, period by period. A node is an id, or a phone in one of its lives where no id ever held it.
-- Half-open periods without gaps cover all time for every phone that was ever seen.
with sightings as (
    select * from {{ ref('int_identity__sightings') }}
),

departures as (
    select * from {{ ref('int_identity__departures') }}
),

phones as (
    select workspace, phone
    from sightings
    where phone is not null
    group by workspace, phone
),

life_starts as (
    select workspace, phone, {{ instant('1900-01-01 00:00:00+00') }} as from_at
    from phones

    union all

    select workspace, phone, left_at as from_at
    from departures
),

lives as (
    select
        workspace,
        phone,
        from_at,
        coalesce(
            lead(from_at) over (partition by workspace, phone order by from_at), {{ instant('9999-12-31 00:00:00+00') }}
        ) as to_at,
        row_number() over (partition by workspace, phone order by from_at) as life
    from life_starts
),

-- an id holds the phone from when both were first seen together in this life of the phone
holders as (
    select
        lives.workspace,
        lives.phone,
        lives.life,
        lives.from_at as life_from_at,
        lives.to_at as life_to_at,
        sightings.user_id,
        min(sightings.seen_at) as held_from_at
    from lives
    inner join sightings
        on
            lives.workspace = sightings.workspace
            and lives.phone = sightings.phone
            and lives.from_at <= sightings.seen_at
            and lives.to_at > sightings.seen_at
    where sightings.user_id is not null
    group by lives.workspace, lives.phone, lives.life, lives.from_at, lives.to_at, sightings.user_id
),

-- of two holders the one first seen later; before the first was seen, that first one
ordered_holders as (
    select
        *,
        row_number() over (partition by workspace, phone, life order by held_from_at, user_id) as holder_number,
        lead(held_from_at) over (partition by workspace, phone, life order by held_from_at, user_id) as next_held_from_at
    from holders
),

held as (
    select
        workspace,
        phone,
        case when holder_number = 1 then life_from_at else held_from_at end as from_at,
        coalesce(next_held_from_at, life_to_at) as to_at,
        'id|' || user_id as node
    from ordered_holders
),

never_held as (
    select
        lives.workspace,
        lives.phone,
        lives.from_at,
        lives.to_at,
        'phone|' || lives.phone || '|' || cast(lives.life as string) as node
    from lives
    left join holders
        on
            lives.workspace = holders.workspace
            and lives.phone = holders.phone
            and lives.life = holders.life
    where holders.user_id is null
)

select workspace, phone, from_at, to_at, node
from held
where from_at < to_at

union all

select workspace, phone, from_at, to_at, node
from never_held
