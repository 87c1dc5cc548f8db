select
    workspace,
    landing_file,
    landing_line,
    position,
    received_at,
    object_hash,
    object_id as status_id,
    text_of(object -> '$.name') as status_name,
    text_of(object -> '$.type') as status_type,
    text_of(object -> '$.slug') as slug,
    id_of(object -> '$.parent.id') as parent_id,
    id_of(object -> '$.original.id') as original_id,
    flag_of(object -> '$.is_active') as is_active
from readable
where object_kind = 'status'
