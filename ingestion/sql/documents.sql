-- Landed lines as documents: the envelope taken off, the body still text where it is no JSON. The text is copied once
-- and read twice, once as the line and once as its body, however many tables ask for it. What readable_line() does is
-- said by whoever runs this: it is the line, or null where it is no JSON.
create temp table landed as
with opened as (
    select
        workspace,
        landing_file,
        landing_line,
        from_json(
            readable_line(line),
            '{"received_at":"VARCHAR","kind":"VARCHAR","account":"VARCHAR","sha256":"VARCHAR","body":"VARCHAR",'
            || '"reject":"VARCHAR"}'
        ) as envelope
    from lines
),

read as (
    select
        *,
        try_cast(envelope.body as json) as document
    from opened
)

select
    workspace,
    landing_file,
    landing_line,
    try_cast(envelope.received_at as timestamptz) as received_at,
    coalesce(envelope.kind, 'webhook') as kind,
    envelope.account as account,
    envelope.sha256 as body_sha256,
    document as body,
    case
        when envelope is null then 'the landed line is not valid JSON'
        when envelope.reject is not null then envelope.reject
        when envelope.body is null then 'the landed line has no body'
        when document is null then 'the body is not valid JSON: cut short?'
        when starts_with(envelope.body, '{') then null
        when json_type(document) not in ('OBJECT', 'ARRAY')
            then 'the body is a bare ' || lower(json_type(document))
    end as reason
from read;

-- document_number: one number in place of file and line, for joins
create temp view documents as
select
    rowid as document_number,
    workspace,
    landing_file,
    landing_line,
    received_at,
    kind,
    account,
    body
from landed
where reason is null;

-- what a source's own SQL finds wrong; item_path is null when the whole line is meant
create temp table findings (
    workspace varchar,
    landing_file varchar,
    landing_line bigint,
    item_path varchar,
    reason varchar
);
