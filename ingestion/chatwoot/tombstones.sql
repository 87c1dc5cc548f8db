-- Conversations that are no longer there: neither listed nor found by their id.
select
    workspace,
    landing_file,
    landing_line,
    0::bigint as position,
    received_at,
    account,
    (body ->> '$.conversation_id') as conversation_id,
    instant(body ->> '$.gone_at') as gone_at
from calls
where
    resource = 'tombstone'
    and try_cast((body ->> '$.conversation_id') as bigint) is not null
    and instant(body ->> '$.gone_at') is not null
