-- Export rows with the columns that any table needs read: instants, and what kind of row it is.
create temp table rows as
select
    workspace,
    landing_file,
    landing_line,
    received_at,
    coalesce(account, 'inbox') as export_name,
    kind as table_name,
    body as row_json,
    -- UTC unless an offset is given; numbers are unix seconds
    coalesce(
        try_cast(coalesce((body ->> '$.sent_at'), (body ->> '$.occurred_at'), (body ->> '$.read_at') as timestamptz),
        to_timestamp(try_cast(coalesce((body ->> '$.sent_at'), (body ->> '$.occurred_at'), (body ->> '$.read_at') as double))
    ) as happened_at
from documents;
