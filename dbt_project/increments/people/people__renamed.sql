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

other_user_ids as (
    select workspace, user_id from (select * from user_ids_before except all select * from user_ids_now) as gone
    union
    select workspace, user_id from (select * from user_ids_now except all select * from user_ids_before) as come
),

other_phones as (
    select workspace, phone from (select * from phone_periods_before except all select * from phone_periods_now) as gone
    union
    select workspace, phone from (select * from phone_periods_now except all select * from phone_periods_before) as come
)

select customer_id
from user_ids_before
where (workspace, user_id) in (select workspace, user_id from other_user_ids)

union

select customer_id
from phone_periods_before
where (workspace, phone) in (select workspace, phone from other_phones)

union

select customer_id
from user_ids_now
where (workspace, user_id) in (select workspace, user_id from other_user_ids)

union

select customer_id
from phone_periods_now
where (workspace, phone) in (select workspace, phone from other_phones)
