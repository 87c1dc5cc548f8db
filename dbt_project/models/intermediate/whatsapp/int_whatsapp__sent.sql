{{ config(materialized='view') }}

-- What the business sent: known by an echo of its phone app, by history, or by statuses alone.
with messages as (
    select * from {{ ref('stg_whatsapp__messages') }}
),

delivery as (
    select * from {{ ref('int_whatsapp__delivery') }}
),

typed_in_the_app as (
    select
        *,
        row_number() over (
            partition by workspace, phone_number_id, wamid
            order by
                case when message_type = 'media_placeholder' then 1 else 0 end,
                received_at nulls last,
                position,
                landing_file,
                landing_line
        ) as delivery_rank
    from messages
    where is_from_business and coalesce(message_type, 'unknown') not in ('reaction', 'edit', 'revoke', 'system')
),

app_messages as (
    select *
    from typed_in_the_app
    where delivery_rank = 1
)

select
    coalesce(app_messages.workspace, delivery.workspace) as workspace,
    coalesce(app_messages.phone_number_id, delivery.phone_number_id) as phone_number_id,
    coalesce(app_messages.wamid, delivery.wamid) as wamid,
    coalesce(app_messages.sent_at, delivery.sent_at) as sent_at,
    coalesce(app_messages.message_type, 'unknown') as message_type,
    coalesce(app_messages.customer_phone, delivery.customer_phone) as customer_phone,
    coalesce(app_messages.customer_user_id, delivery.customer_user_id) as customer_user_id,
    app_messages.group_id is not null or coalesce(delivery.is_group, false) as is_group,
    app_messages.text_length,
    coalesce(
        delivery.delivery_status,
        case app_messages.history_status
            when 'PLAYED' then 'played' when 'READ' then 'read' when 'DELIVERED' then 'delivered'
            when 'SENT' then 'sent' when 'ERROR' then 'failed'
        end
    ) as delivery_status,
    case
        -- an echo decides; else the tag that was given when it was sent
        when app_messages.wamid is not null then 'agent'
        when delivery.sender_tag like 'agent:_%' then 'agent'
        when {{ has_pattern('delivery.sender_tag', '^(bot|flow|campaign|template|api):.+') }} then 'automation'
        else 'unknown'
    end as author_type,
    case when app_messages.wamid is null and delivery.sender_tag like 'agent:_%' then substr(delivery.sender_tag, 7) end
        as author_source_id,
    case when app_messages.wamid is null then delivery.sender_tag end as sender_tag,
    delivery.delivered_at,
    delivery.read_at,
    delivery.failed_at,
    delivery.pricing_category,
    delivery.pricing_type,
    delivery.is_billable,
    coalesce(app_messages.received_at, delivery.received_at) as received_at,
    coalesce(app_messages.position, delivery.position) as position,
    coalesce(app_messages.landing_file, delivery.landing_file) as landing_file,
    coalesce(app_messages.landing_line, delivery.landing_line) as landing_line
from app_messages
full outer join delivery
    on
        app_messages.workspace = delivery.workspace
        and app_messages.phone_number_id = delivery.phone_number_id
        and app_messages.wamid = delivery.wamid
