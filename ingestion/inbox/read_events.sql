select
    workspace,
    landing_file,
    landing_line,
    received_at,
    export_name,
    (row_json ->> '$.conversation_id') as conversation_id,
    happened_at as read_at,
    (row_json ->> '$.agent_id') as agent_id
from readable_rows
where table_name = 'read_events'
