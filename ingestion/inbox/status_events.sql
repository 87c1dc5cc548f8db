select
    workspace,
    landing_file,
    landing_line,
    received_at,
    export_name,
    (row_json ->> '$.conversation_id') as conversation_id,
    (row_json ->> '$.status') as status,
    happened_at as occurred_at,
    coalesce(row_json ->> '$.actor_type', 'unknown') as actor_type,
    (row_json ->> '$.actor_id') as actor_id
from readable_rows
where table_name = 'status_events'
