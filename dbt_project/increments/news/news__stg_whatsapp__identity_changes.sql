-- Changes of id or number told since the last build, and those told before of a time that has come only now.
with told as (
    select * from {{ ref('stg_whatsapp__identity_changes') }}
),

-- read once more: what a query reads twice under one name is held in memory as a whole
told_of_later as (
    select * from {{ ref('stg_whatsapp__identity_changes') }}
),

new_files as (
    select * from {{ touched('news', 'files') }}
)

select told.*
from told
where told.landing_file in (select new_files.landing_file from new_files)

union all

select told_of_later.*
from told_of_later
where
    told_of_later.happened_at >= {{ last_as_of() }}
    and told_of_later.landing_file not in (select new_files.landing_file from new_files)
