-- Customers whom a name has left or joined: all their messages are looked at anew.
with user_ids_before as (
    select * from {{ touched('persons', 'int_user_ids_before') }}
),

user_ids_now as (
    select * from {{ touched('persons', 'int_user_ids') }}
),

phone_periods_before as (
    select * from {{ touched('persons', 'int_phone_periods_before') }}
),

phone_periods_now as (
    select * from {{ touched('persons', 'int_phone_periods') }}
),

user_ids as (
    select * from user_ids_before
    union all
    select * from user_ids_now
),

phone_periods as (
    select * from phone_periods_before
    union all
    select * from phone_periods_now
),

other_user_ids as (
    select workspace, user_id
    from user_ids
    group by workspace, user_id, person_key, customer_id
    having count(*) = 1
),

other_phones as (
    select workspace, phone
    from phone_periods
    group by workspace, phone, from_at, to_at, person_key, customer_id
    having count(*) = 1
)

-- as they were and as they are
select customer_id
from user_ids
where (workspace, user_id) in (select workspace, user_id from other_user_ids)

union

select customer_id
from phone_periods
where (workspace, phone) in (select workspace, phone from other_phones)
