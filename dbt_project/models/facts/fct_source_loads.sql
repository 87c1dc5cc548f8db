-- What landed of each source and what became of it: landed = loaded + rejected, always.
with landed_lines as (
    select * from {{ ref('int_landed_lines') }}
),

-- read once more each time: what a query reads twice under one name is held in memory as a whole
lines_of_rejects as (
    select * from {{ ref('int_landed_lines') }}
),

lines_of_bodies as (
    select * from {{ ref('int_landed_lines') }}
),

rejects as (
    select * from {{ ref('int_rejects') }}
),

activity as (
    select * from {{ ref('int_source_activity') }}
),

gaps as (
    select * from {{ ref('int_source_gaps') }}
),

-- lines that have landed and are rejects as a whole
rejected_lines as (
    select
        rejects.source,
        lines_of_rejects.workspace,
        rejects.landing_file,
        rejects.landing_line
    from rejects
    inner join lines_of_rejects
        on
            rejects.source = lines_of_rejects.source
            and rejects.landing_file = lines_of_rejects.landing_file
            and rejects.landing_line = lines_of_rejects.landing_line
    where rejects.item_path is null
    group by rejects.source, lines_of_rejects.workspace, rejects.landing_file, rejects.landing_line
),

rejected_by_source as (
    select source, workspace, count(*) as rejected_lines
    from rejected_lines
    group by source, workspace
),

landed_by_source as (
    select
        source,
        workspace,
        count(*) as landed_lines,
        max(received_at) as last_received_at
    from landed_lines
    group by source, workspace
),

lines_by_source as (
    select
        landed_by_source.source,
        landed_by_source.workspace,
        landed_by_source.landed_lines,
        landed_by_source.landed_lines - coalesce(rejected_by_source.rejected_lines, 0) as loaded_lines,
        coalesce(rejected_by_source.rejected_lines, 0) as rejected_lines,
        landed_by_source.last_received_at
    from landed_by_source
    left join rejected_by_source
        on
            landed_by_source.source = rejected_by_source.source
            and landed_by_source.workspace = rejected_by_source.workspace
),

-- few bodies land twice: only those of which there may be two are put in order
bodies as (
    select {{ short_hash('body_sha256') }} as body_hash
    from {{ ref('int_landed_lines') }}
),

repeated_bodies as (
    select body_hash
    from bodies
    group by body_hash
    having count(*) > 1
),

copies as (
    select
        lines_of_bodies.source,
        lines_of_bodies.workspace,
        lines_of_bodies.landing_file,
        lines_of_bodies.landing_line,
        row_number() over (
            partition by lines_of_bodies.source, lines_of_bodies.workspace, lines_of_bodies.kind, lines_of_bodies.body_sha256
            order by lines_of_bodies.received_at nulls last, lines_of_bodies.landing_file, lines_of_bodies.landing_line
        ) as copy
    from lines_of_bodies
    inner join repeated_bodies
        on {{ short_hash('lines_of_bodies.body_sha256') }} = repeated_bodies.body_hash
),

duplicates_by_source as (
    select copies.source, copies.workspace, count(*) as duplicate_lines
    from copies
    left join rejected_lines
        on
            copies.source = rejected_lines.source
            and copies.landing_file = rejected_lines.landing_file
            and copies.landing_line = rejected_lines.landing_line
    where copies.copy > 1 and rejected_lines.landing_line is null
    group by copies.source, copies.workspace
),

items_by_source as (
    select source, workspace, count(*) as rejected_items
    from rejects
    where item_path is not null
    group by source, workspace
)

select
    lines_by_source.source,
    lines_by_source.workspace,
    lines_by_source.landed_lines,
    lines_by_source.loaded_lines,
    lines_by_source.rejected_lines,
    coalesce(duplicates_by_source.duplicate_lines, 0) as duplicate_lines,
    coalesce(items_by_source.rejected_items, 0) as rejected_items,
    lines_by_source.last_received_at,
    activity.first_event_at,
    activity.last_event_at,
    gaps.gap_from_at,
    gaps.gap_to_at
from lines_by_source
left join items_by_source
    on lines_by_source.source = items_by_source.source and lines_by_source.workspace = items_by_source.workspace
left join duplicates_by_source
    on lines_by_source.source = duplicates_by_source.source and lines_by_source.workspace = duplicates_by_source.workspace
left join activity
    on lines_by_source.source = activity.source and lines_by_source.workspace = activity.workspace
left join gaps
    on lines_by_source.source = gaps.source and lines_by_source.workspace = gaps.workspace
