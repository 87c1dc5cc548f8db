{{ config(meta={'stage': 'evidence', 'touched': {'told.messages': ['workspace', 'phone_number_id', 'wamid']}}) }}

-- All messages of the Cloud API, a row per message, with the id it has where no inbox tells of it too.
with received as (
    select * from {{ ref('int_whatsapp__received') }}
),

sent as (
    select * from {{ ref('int_whatsapp__sent') }}
),

changes as (
    select * from {{ ref('int_whatsapp__changes_to_messages') }}
),

both_directions as (
    select
        workspace,
        phone_number_id,
        wamid,
        sent_at,
        'customer' as author_type,
        cast(null as string) as author_source_id,
        message_type,
        text_length,
        cast(null as string) as delivery_status,
        customer_phone,
        customer_user_id,
        is_group,
        cast(null as string) as sender_tag,
        cast(null as {{ instant_type() }}) as delivered_at,
        cast(null as {{ instant_type() }}) as read_at,
        cast(null as {{ instant_type() }}) as failed_at,
        cast(null as string) as pricing_category,
        cast(null as string) as pricing_type,
        cast(null as boolean) as is_billable,
        received_at,
        position,
        landing_file,
        landing_line
    from received

    union all

    select
        sent.workspace,
        sent.phone_number_id,
        sent.wamid,
        sent.sent_at,
        sent.author_type,
        sent.author_source_id,
        sent.message_type,
        sent.text_length,
        sent.delivery_status,
        sent.customer_phone,
        sent.customer_user_id,
        sent.is_group,
        sent.sender_tag,
        sent.delivered_at,
        sent.read_at,
        sent.failed_at,
        sent.pricing_category,
        sent.pricing_type,
        sent.is_billable,
        sent.received_at,
        sent.position,
        sent.landing_file,
        sent.landing_line
    from sent
    left join received
        on
            sent.workspace = received.workspace
            and sent.phone_number_id = received.phone_number_id
            and sent.wamid = received.wamid
    -- one id is one message: a status of something a customer sent makes no second one
    where received.wamid is null
)

select
    {{ keyed_hash([
        "'message'", "both_directions.workspace", "'whatsapp'", "both_directions.phone_number_id", "both_directions.wamid",
    ]) }} as message_id,
    both_directions.*,
    changes.edited_at,
    changes.revoked_at
from both_directions
left join changes
    on
        both_directions.workspace = changes.workspace
        and both_directions.phone_number_id = changes.phone_number_id
        and both_directions.wamid = changes.target_wamid
