-- Export rows with the instant that every table but conversations has.
create temp table rows as
with timed as (
    select
        *,
        coalesce((body ->> '$.sent_at'), (body ->> '$.occurred_at'), (body ->> '$.read_at')) as time_text
    from documents
)

select
    workspace,
    landing_file,
    landing_line,
    received_at,
    coalesce(account, 'inbox') as export_name,
    kind as table_name,
    body as row_json,
    time_text,
    -- UTC unless an offset is given; numbers are unix seconds
    coalesce(try_cast(time_text as timestamptz), to_timestamp(try_cast(time_text as double))) as happened_at
from timed;
