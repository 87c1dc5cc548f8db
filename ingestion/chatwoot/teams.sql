select
    workspace,
    landing_file,
    landing_line,
    item_number * 1000 as position,
    received_at,
    item_account as account,
    (item ->> '$.id') as team_id,
    (item ->> '$.name') as team_name
from items
where item_kind = 'team' and try_cast((item ->> '$.id') as bigint) is not null
