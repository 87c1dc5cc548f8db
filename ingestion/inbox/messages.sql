select
    workspace,
    landing_file,
    landing_line,
    received_at,
    export_name,
    (row_json ->> '$.message_id') as message_id,
    (row_json ->> '$.conversation_id') as conversation_id,
    happened_at as sent_at,
    (row_json ->> '$.author_type') as author_type,
    (row_json ->> '$.author_id') as author_id,
    (row_json ->> '$.author_name') as author_name,
    (row_json ->> '$.message_type') as message_type,
    coalesce(try_cast(row_json ->> '$.text_length' as bigint), length(row_json ->> '$.text')) as text_length,
    (row_json ->> '$.delivery_status') as delivery_status,
    try_cast(row_json ->> '$.sequence' as bigint) as sequence,
    try_cast(row_json ->> '$.updated_at' as timestamptz) as updated_at
from readable_rows
where table_name = 'messages'
