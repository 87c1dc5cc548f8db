-- Landing files of WhatsApp that were loaded since the last build.
with loaded as (
    select * from {{ source('whatsapp', 'landed_files') }}
),

built as (
    select * from {{ source('build', 'files') }}
)

select loaded.landing_file
from loaded
left join built
    on loaded.landing_file = built.landing_file and built.source = 'whatsapp'
where built.landing_file is null
