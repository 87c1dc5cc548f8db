-- Names of channels: the merchant's own setting first, then what Graph tells; inboxes by their own name.
with settings as (
    select * from {{ ref('stg_settings__whatsapp_numbers') }}
),

graph_numbers as (
    select * from {{ ref('stg_whatsapp__numbers') }}
),

chatwoot as (
    select * from {{ ref('int_chatwoot__channels') }}
),

newest_graph_names as (
    select
        workspace,
        phone_number_id,
        verified_name,
        row_number() over (
            partition by workspace, phone_number_id order by received_at desc nulls last, landing_file desc, landing_line desc
        ) as newest_first
    from graph_numbers
    where verified_name is not null
)

select
    coalesce(settings.workspace, newest_graph_names.workspace) as workspace,
    coalesce(settings.phone_number_id, newest_graph_names.phone_number_id) as channel,
    coalesce(settings.number_name, newest_graph_names.verified_name) as channel_name
from settings
full outer join newest_graph_names
    on
        settings.workspace = newest_graph_names.workspace
        and settings.phone_number_id = newest_graph_names.phone_number_id
where
    coalesce(newest_graph_names.newest_first, 1) = 1
    and coalesce(settings.number_name, newest_graph_names.verified_name) is not null

union all

select
    workspace,
    'chatwoot:' || account || ':' || channel_id as channel,
    channel_name
from chatwoot
where channel_name is not null
