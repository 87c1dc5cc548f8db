-- Landing files of WhatsApp that were loaded since the last build.
with loaded as (
    select * from {{ source('whatsapp', 'landed_files') }}
)

select landing_file
from loaded
where landing_file not in (select built.landing_file from {{ source('build', 'files') }} as built where built.source = 'whatsapp')
