select
    workspace,
    landing_file,
    landing_line,
    null::varchar as item_path,
    reason
from landed
where reason is not null

union all by name

select
    workspace,
    landing_file,
    landing_line,
    item_path,
    reason
from findings
