-- The catalogue of labels; a conversation may carry titles that are not in it.
select
    workspace,
    landing_file,
    landing_line,
    item_number * 1000 as position,
    received_at,
    item_account as account,
    (item ->> '$.id') as label_id,
    (item ->> '$.title') as title,
    (item ->> '$.color') as color,
    (item ->> '$.description') as description
from items
where item_kind = 'label' and try_cast((item ->> '$.id') as bigint) is not null
