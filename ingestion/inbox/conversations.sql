select
    workspace,
    landing_file,
    landing_line,
    received_at,
    export_name,
    (row_json ->> '$.conversation_id') as conversation_id,
    (row_json ->> '$.channel') as channel,
    (row_json ->> '$.customer_id') as customer_id,
    (row_json ->> '$.customer_phone') as customer_phone,
    (row_json ->> '$.customer_name') as customer_name,
    try_cast(row_json ->> '$.created_at' as timestamptz) as created_at,
    (row_json ->> '$.status') as status,
    (row_json ->> '$.assignee_id') as assignee_id,
    try_cast(row_json ->> '$.updated_at' as timestamptz) as updated_at
from readable_rows
where table_name = 'conversations'
