-- One row per inbox, with what was last told of it.
with sightings as (select * from {{ ref('stg_chatwoot__inboxes') }}),

ordered as (
    select
        *,
        row_number() over (
            partition by workspace, account, channel_id
            order by
                observed_at desc nulls last, received_at desc nulls last,
                landing_file desc, landing_line desc, position desc
        ) as age
    from sightings
)

select
    workspace,
    'chatwoot' as source,
    account,
    channel_id,
    min_by(channel_name, age) filter (where channel_name is not null) as channel_name,
    min_by(inbox_phone, age) filter (where inbox_phone is not null) as inbox_phone,
    min_by(phone_number_id, age) filter (where phone_number_id is not null) as phone_number_id
from ordered
group by workspace, account, channel_id
