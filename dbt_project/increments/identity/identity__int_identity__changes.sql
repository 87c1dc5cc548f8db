-- Changes of the touched people's ids and numbers.
with changes as (
    select * from {{ ref('int_identity__changes') }}
),

touched_phones as (
    select * from {{ touched('identity', 'phones') }}
),

touched_user_ids as (
    select * from {{ touched('identity', 'user_ids') }}
)

select changes.*
from changes
where
    (changes.workspace, changes.previous_phone) in (select workspace, phone from touched_phones)
    or (changes.workspace, changes.previous_user_id) in (select workspace, user_id from touched_user_ids)
    or (changes.workspace, changes.current_phone) in (select workspace, phone from touched_phones)
    or (changes.workspace, changes.current_user_id) in (select workspace, user_id from touched_user_ids)
