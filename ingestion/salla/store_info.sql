select
    workspace,
    landing_file,
    landing_line,
    position,
    received_at,
    object_hash,
    object_id as store_id,
    text_of(object -> '$.name') as store_name,
    text_of(object -> '$.plan') as plan,
    text_of(object -> '$.type') as store_type,
    text_of(object -> '$.status') as status,
    upper(text_of(object -> '$.currency')) as currency,
    text_of(object -> '$.domain') as domain,
    text_of(object -> '$.social.whatsapp') as whatsapp
from readable
where object_kind = 'store'
