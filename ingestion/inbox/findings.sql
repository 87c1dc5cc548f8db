insert into findings
with judged as (
    select
        workspace,
        landing_file,
        landing_line,
        case
            when table_name not in ('messages', 'conversations', 'status_events', 'tag_events', 'read_events')
                then 'unknown table ' || table_name
            when json_type(row_json) <> 'OBJECT' then 'the row is not an object'
            when (row_json ->> '$.conversation_id') is null then 'no conversation_id'
            when table_name = 'messages' and (row_json ->> '$.message_id') is null then 'no message_id'
            when table_name <> 'conversations' and happened_at is null then
                'unknown time format: ' || coalesce(left(time_text, 40), 'no time')
            when table_name = 'messages'
                and coalesce((row_json ->> '$.author_type'), '') not in ('customer', 'agent', 'automation', 'unknown', 'system')
                then 'unknown author_type: ' || coalesce(left((row_json ->> '$.author_type'), 40), 'none')
            when table_name = 'status_events'
                and coalesce((row_json ->> '$.status'), '') not in ('open', 'closed')
                then 'unknown status: ' || coalesce(left((row_json ->> '$.status'), 40), 'none')
            when table_name = 'conversations'
                and coalesce((row_json ->> '$.status'), 'open') not in ('open', 'closed')
                then 'unknown status: ' || left((row_json ->> '$.status'), 40)
            when table_name = 'conversations'
                and (row_json ->> '$.created_at') is not null
                and try_cast((row_json ->> '$.created_at') as timestamptz) is null
                then 'unknown time format: ' || left((row_json ->> '$.created_at'), 40)
            when table_name = 'tag_events' and (row_json ->> '$.tag') is null then 'no tag'
            when table_name = 'tag_events'
                and coalesce((row_json ->> '$.action'), '') not in ('applied', 'removed')
                then 'unknown action: ' || coalesce(left((row_json ->> '$.action'), 40), 'none')
            when table_name in ('status_events', 'tag_events')
                and coalesce((row_json ->> '$.actor_type'), 'unknown') not in ('agent', 'automation', 'customer', 'system', 'unknown')
                then 'unknown actor_type: ' || left((row_json ->> '$.actor_type'), 40)
            when table_name = 'messages'
                and coalesce((row_json ->> '$.delivery_status'), 'sent') not in ('sent', 'delivered', 'read', 'played', 'failed')
                then 'unknown delivery_status: ' || left((row_json ->> '$.delivery_status'), 40)
        end as reason
    from rows
)

select
    workspace,
    landing_file,
    landing_line,
    null,
    reason
from judged
where reason is not null;

create temp table readable_rows as
select r.*
from rows as r
where not exists (
    select 1
    from findings as f
    where f.landing_file = r.landing_file and f.landing_line = r.landing_line
);
