-- A person's id or number changed: the only things that make two ids one person.
with updates as (
    select
        *,
        (item ->> '$.user_id.previous') as previous_user_id,
        (item ->> '$.user_id.current') as current_user_id,
        null::varchar as previous_phone,
        (item ->> '$.wa_id') as current_phone
    from other_items
    where item_kind = 'user_id_update' and happened_at is not null
),

notices as (
    select
        *,
        sent_at as happened_at,
        customer_user_id as previous_user_id,
        notice.user_id as current_user_id,
        customer_phone as previous_phone,
        notice.wa_id as current_phone
    from readable_messages
    where origin = 'message' and notice.type in ('user_changed_number', 'user_changed_user_id')
),

together as (
    select * from updates
    union all by name
    select * from notices
)

select
    workspace,
    landing_file,
    landing_line,
    position,
    received_at,
    waba_id,
    phone_number_id,
    happened_at,
    nullif(previous_user_id, current_user_id) as previous_user_id,
    current_user_id,
    nullif(previous_phone, current_phone) as previous_phone,
    current_phone
from together
