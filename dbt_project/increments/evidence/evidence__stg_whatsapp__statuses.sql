-- All statuses of the messages of which something new was told.
with told as (
    select * from {{ ref('stg_whatsapp__statuses') }}
),

touched_messages as (
    select * from {{ touched('told', 'messages') }}
)

select told.*
from told
where
    (told.workspace, told.phone_number_id, told.wamid)
    in (select workspace, phone_number_id, wamid from touched_messages)
