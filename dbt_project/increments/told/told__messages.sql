-- Messages of which something new was told: themselves, a status, an edit or a revoke.
with messages as (
    select * from {{ ref('stg_whatsapp__messages') }}
),

statuses as (
    select * from {{ ref('stg_whatsapp__statuses') }}
)

select workspace, phone_number_id, wamid
from messages

union

select workspace, phone_number_id, target_wamid as wamid
from messages
where target_wamid is not null

union

select workspace, phone_number_id, wamid
from statuses
