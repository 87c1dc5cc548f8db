-- Names of channels: the merchant's own setting first, then what Graph tells; inboxes by their own name. And the
-- business's phone number, as webhooks and Graph tell it.
with settings as (
    select * from {{ ref('stg_settings__whatsapp_numbers') }}
),

graph_numbers as (
    select * from {{ ref('stg_whatsapp__numbers') }}
),

messages as (
    select * from {{ ref('stg_whatsapp__messages') }}
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
),

-- one spelling each, so that not every message's is cleaned
spellings as (
    select workspace, phone_number_id, display_phone_number
    from messages
    where display_phone_number is not null and phone_number_id is not null
    group by workspace, phone_number_id, display_phone_number
),

told_phones as (
    select
        workspace,
        phone_number_id,
        nullif({{ without_pattern('display_phone_number', '[^0-9]') }}, '') as business_phone
    from spellings

    union all

    select workspace, phone_number_id, business_phone
    from graph_numbers
    where business_phone is not null
),

phones as (
    select workspace, phone_number_id, max(business_phone) as business_phone
    from told_phones
    group by workspace, phone_number_id
),

names as (
    select
        coalesce(settings.workspace, newest_graph_names.workspace) as workspace,
        coalesce(settings.phone_number_id, newest_graph_names.phone_number_id) as phone_number_id,
        coalesce(settings.number_name, newest_graph_names.verified_name) as channel_name
    from settings
    full outer join newest_graph_names
        on
            settings.workspace = newest_graph_names.workspace
            and settings.phone_number_id = newest_graph_names.phone_number_id
    where coalesce(newest_graph_names.newest_first, 1) = 1
)

select
    coalesce(names.workspace, phones.workspace) as workspace,
    coalesce(names.phone_number_id, phones.phone_number_id) as channel,
    names.channel_name,
    phones.business_phone as phone_number
from names
full outer join phones
    on
        names.workspace = phones.workspace
        and names.phone_number_id = phones.phone_number_id
where coalesce(names.channel_name, phones.business_phone) is not null

union all

select
    workspace,
    'chatwoot:' || account || ':' || channel_id as channel,
    channel_name,
    inbox_phone as phone_number
from chatwoot
where coalesce(channel_name, inbox_phone) is not null
