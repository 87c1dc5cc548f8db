-- Readers of Salla's many spellings. None of them fails: what cannot be read is null.
-- (json_extract and not an arrow: in a macro's body DuckDB takes an arrow for a lambda.)

-- an id as text, whether it came as a number or as text
create temp macro id_of(value) as
    case json_type(value)
        when 'UBIGINT' then json_extract_string(value, '$')
        when 'BIGINT' then json_extract_string(value, '$')
        when 'VARCHAR' then nullif(trim(json_extract_string(value, '$')), '')
        when 'DOUBLE' then try_cast(try_cast(json_extract_string(value, '$') as bigint) as varchar)
    end;

-- a scalar as text; objects, arrays and nulls are none
create temp macro scalar_of(value) as
    case when json_type(value) in ('VARCHAR', 'UBIGINT', 'BIGINT', 'DOUBLE', 'BOOLEAN') then json_extract_string(value, '$') end;

create temp macro text_of(value) as nullif(trim(scalar_of(value)), '');

create temp macro flag_of(value) as try_cast(scalar_of(value) as boolean);

create temp macro western_digits(value) as translate(value, '٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹٫٬', '01234567890123456789.,');

-- 12.5, "12.50", "1,250.00" or "١٢٫٥"; a comma only between thousands
create temp macro number_of(value) as
    list_transform(
        [translate(trim(scalar_of(value)), '٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹٫٬', '01234567890123456789.,')],
        lambda digits: try_cast(
            case when regexp_full_match(digits, '-?\d{1,3}(,\d{3})+(\.\d+)?') then replace(digits, ',', '') else digits end
            as decimal(18, 4)
        )
    )[1];

-- money is an object {amount, currency}, a number or text; {} is none
create temp macro amount_of(value) as
    number_of(case when json_type(value) = 'OBJECT' then json_extract(value, '$.amount') else value end);

create temp macro currency_of(value) as upper(text_of(json_extract(value, '$.currency')));

set variable known_zones = (
    select list(name) from pg_timezone_names() where name like '%/%' or name = 'UTC'
);

-- A date as {local, zone, has_clock}: the clock time as given, and the zone it names.
-- Read are objects {date, timezone}, "2026-11-01 14:05:09", "2026-11-01", "Sun Nov 01 2026 14:05:09 GMT+0300", ISO 8601
-- with an offset or Z, and seconds since 1970. What has an offset is told in UTC; without any zone it is null.
-- Each list_transform() gives a name to what the next one reads, so that nothing is computed twice.
create temp macro date_of(value) as
    list_transform(
        list_transform(
            list_transform(
                [{
                    'text': trim(scalar_of(case when json_type(value) = 'OBJECT' then json_extract(value, '$.date') else value end)),
                    'zone': text_of(json_extract(value, '$.timezone'))
                }],
                lambda d: {
                    'text': d.text,
                    'zone': d.zone,
                    'epoch': try_cast(nullif(regexp_extract(d.text, '^\d{9,10}$'), '') as bigint),
                    'spelled': nullif(regexp_extract(d.text, '[A-Z][a-z]{2} \d{1,2} \d{4} \d{2}:\d{2}:\d{2}'), ''),
                    'shift': coalesce(
                        nullif(regexp_extract(d.text, 'GMT([+-]\d{2}:?\d{2})', 1), ''),
                        nullif(regexp_extract(d.text, ':\d{2}(\.\d+)?\s*(Z|[+-]\d{2}:?\d{2})$', 2), ''),
                        nullif(regexp_extract(d.zone, '^[+-]\d{2}:?\d{2}$'), '')
                    )
                }
            ),
            lambda d: {
                'text': d.text,
                'zone': d.zone,
                'clock': coalesce(
                    make_timestamp(d.epoch * 1000000),
                    try_strptime(d.spelled, '%b %d %Y %H:%M:%S'),
                    try_cast(regexp_replace(d.text, '(:\d{2}(\.\d+)?)\s*(Z|[+-]\d{2}:?\d{2})$', '\1') as timestamp)
                ),
                'minutes': case
                    when d.epoch is not null or d.shift = 'Z' then 0
                    when d.shift is not null
                        then
                            (case when left(d.shift, 1) = '-' then -1 else 1 end)
                            * (cast(substr(d.shift, 2, 2) as integer) * 60 + cast(right(d.shift, 2) as integer))
                end
            }
        ),
        -- PHP writes an empty date as year -1 or 0: that is none
        lambda d: case
            when d.clock between timestamp '1990-01-01' and timestamp '2100-01-01'
                then {
                    'local': d.clock - to_minutes(coalesce(d.minutes, 0)),
                    'zone': case
                        when d.minutes is not null then 'UTC'
                        when d.zone = 'Asia/Riyadh' then d.zone
                        when list_contains(getvariable('known_zones'), d.zone) then d.zone
                    end,
                    'has_clock': d.minutes is not null or contains(d.text, ':')
                }
        end
    )[1];

create temp macro list_of(value) as case when json_type(value) = 'ARRAY' then from_json(value, '["JSON"]') end;
