-- Landed lines as documents: the envelope taken off, the body still text where it is no JSON.
create temp table opened as
select
    workspace,
    landing_file,
    landing_line,
    from_json(
        case when json_valid(line) then line end,
        '{"received_at":"VARCHAR","kind":"VARCHAR","account":"VARCHAR","sha256":"VARCHAR","body":"VARCHAR","reject":"VARCHAR"}'
    ) as envelope
from lines;

create temp table landed as
select
    workspace,
    landing_file,
    landing_line,
    try_cast(envelope.received_at as timestamptz) as received_at,
    coalesce(envelope.kind, 'webhook') as kind,
    envelope.account as account,
    envelope.sha256 as body_sha256,
    envelope.body as body,
    case
        when envelope is null then 'the landed line is not valid JSON'
        when envelope.reject is not null then envelope.reject
        when envelope.body is null then 'the landed line has no body'
        when not json_valid(envelope.body) then 'the body is not valid JSON: cut short?'
        when json_type(envelope.body) not in ('OBJECT', 'ARRAY') then 'the body is a bare ' || lower(json_type(envelope.body))
    end as reason
from opened;

create temp table documents as
select
    workspace,
    landing_file,
    landing_line,
    received_at,
    kind,
    account,
    body::json as body
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
