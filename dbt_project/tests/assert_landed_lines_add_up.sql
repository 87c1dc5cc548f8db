-- Nothing is lost: every landed line is loaded or rejected, and what is counted is what landed.
with landed as (
    select source, workspace, count(*) as landed_lines
    from {{ ref('int_landed_lines') }}
    group by source, workspace
)

select landed.source
from landed
left join {{ ref('mart_data_health') }} as health
    on landed.source = health.source and landed.workspace = health.workspace
where
    health.source is null
    or health.landed_lines <> landed.landed_lines
    or health.landed_lines <> health.loaded_lines + health.rejected_lines
