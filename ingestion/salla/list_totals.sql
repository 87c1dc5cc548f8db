-- How many rows Salla itself counts in a listing, of all or of the days from from_date to to_date: one row per page.
with told as (
    select
        *,
        coalesce((body -> '$.pagination'), (body -> '$.pagenation')) as pagination,
        nullif(url_decode(regexp_extract(query, '(?:^|&)from_date=([^&]*)', 1)), '') as from_text,
        nullif(url_decode(regexp_extract(query, '(?:^|&)to_date=([^&]*)', 1)), '') as to_text,
        -- a listing cut by anything but days (a status, a word) counts something else
        regexp_replace(query, '(^|&)(from_date|to_date|page|per_page|sort_by|format|expanded)=[^&]*', '', 'g') as other_filters
    from answers
    where call like 'GET /%' and call not like '%{id}%' and asked_order_id is null and not is_error
),

counted as (
    select
        *,
        try_cast(left(from_text, 10) as date) as from_date,
        try_cast(left(to_text, 10) as date) as to_date,
        try_cast(number_of(pagination -> '$.total') as bigint) as total
    from told
)

select
    workspace,
    landing_file,
    landing_line,
    received_at,
    call as kind,
    page,
    from_date,
    to_date,
    total
from counted
where
    total >= 0
    -- an archive that names the call without its query does not say what was listed
    and nullif(query, '') is not null
    and other_filters in ('', '&')
    and (from_text is null) = (from_date is null)
    and (to_text is null) = (to_date is null)
