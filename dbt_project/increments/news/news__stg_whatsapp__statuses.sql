-- Statuses told since the last build, and those told before of a time that has come only now.
with told as (
    select * from {{ ref('stg_whatsapp__statuses') }}
),

new_files as (
    select * from {{ touched('news', 'files') }}
)

select told.*
from told
where told.landing_file in (select new_files.landing_file from new_files)

union all

select told.*
from told
where
    told.happened_at >= {{ last_as_of() }}
    and told.landing_file not in (select new_files.landing_file from new_files)
