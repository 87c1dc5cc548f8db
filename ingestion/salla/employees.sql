select
    workspace,
    landing_file,
    landing_line,
    position,
    received_at,
    object_hash,
    object_id as employee_id,
    text_of(object -> '$.name') as employee_name,
    text_of(object -> '$.mobile') as mobile,
    text_of(object -> '$.mobile_code') as mobile_code,
    text_of(object -> '$.email') as email,
    text_of(object -> '$.role') as role,
    text_of(object -> '$.status') as status
from readable
where object_kind = 'employee'
