-- Which order statuses the merchant ticked for Salla's own reports.
select
    workspace,
    landing_file,
    landing_line,
    position,
    received_at,
    object_hash,
    object_id as raw_status_id,
    text_of(object -> '$.name') as status_name,
    flag_of(object -> '$.selected') as is_selected
from readable
where object_kind = 'report_status'
