-- Whose an id is, and whose a phone is at a time. Ids are one person where the source says so; a phone is its first
-- holder's until the next holder is seen with it, and nobody's of before once its holder took another number.
create temp table sightings as
select user_id, phone, min(at_s) as first_at
from (
    select user_id, phone, at_s from told where at_s < epoch(getvariable('as_of'))
    union all
    select user_id, phone, at_s from contacts where at_s < epoch(getvariable('as_of'))
    union all
    select current_id, phone, at_s from links
)
where phone is not null
group by user_id, phone;

create temp table departures as
select sightings.phone, links.at_s as left_at
from links
inner join sightings
    on links.previous_id = sightings.user_id and sightings.first_at < links.at_s and sightings.phone <> links.phone
group by sightings.phone, links.at_s;

-- phones that were left, seen by seen; all others at once
create temp table lives as
select user_id, phone, cast(0 as bigint) as life_from, first_at
from sightings
where phone not in (select phone from departures)

union all

select seen.user_id, seen.phone, coalesce(departures.left_at, 0) as life_from, min(seen.at_s) as first_at
from (
    select user_id, phone, at_s from told where phone in (select phone from departures) and at_s < epoch(getvariable('as_of'))
    union all
    select user_id, phone, at_s from contacts where phone in (select phone from departures) and at_s < epoch(getvariable('as_of'))
    union all
    select current_id, phone, at_s from links where phone in (select phone from departures)
) as seen
asof left join departures
    on seen.phone = departures.phone and seen.at_s >= departures.left_at
group by seen.user_id, seen.phone, coalesce(departures.left_at, 0);

create temp table phone_periods as
with life_bounds as (
    select
        phone,
        life_from,
        coalesce(lead(life_from) over (partition by phone order by life_from), 9223372036854775807) as life_until
    from (
        select phone, life_from from lives
        union
        select phone, left_at as life_from from departures
        union
        select phone, cast(0 as bigint) as life_from from departures
    )
)

select
    life_bounds.phone,
    case when row_number() over this_life = 1 then life_bounds.life_from else lives.first_at end as from_at,
    coalesce(lead(lives.first_at) over this_life, life_bounds.life_until) as until_at,
    coalesce(lives.user_id, life_bounds.phone || '|' || life_bounds.life_from) as holder
from life_bounds
left join lives
    on life_bounds.phone = lives.phone and life_bounds.life_from = lives.life_from and lives.user_id is not null
window this_life as (partition by life_bounds.phone, life_bounds.life_from order by lives.first_at, lives.user_id);

create temp table roots as
with recursive pairs as (
    select previous_id as one, current_id as other from links
    union
    select current_id, previous_id from links
),

reached as (
    select one, other from pairs
    union
    select reached.one, pairs.other
    from reached
    inner join pairs
        on reached.other = pairs.one
)

select one as user_id, least(one, min(other)) as person
from reached
group by one;
