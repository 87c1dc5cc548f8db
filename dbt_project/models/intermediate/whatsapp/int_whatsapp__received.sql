{{ config(materialized='view') }}

-- What customers sent, a row per message, however often it was delivered.
with messages as (
    select * from {{ ref('stg_whatsapp__messages') }}
),

customer_messages as (
    select *
    from messages
    where
        not is_from_business
        -- notices and changes stand where messages stand but are none
        and coalesce(message_type, 'unknown') not in ('reaction', 'edit', 'revoke', 'system', 'request_welcome')
),

ranked as (
    select
        *,
        row_number() over (
            partition by workspace, phone_number_id, wamid
            order by
                -- history tells of media first by a placeholder
                case when message_type = 'media_placeholder' then 1 else 0 end,
                received_at nulls last,
                position,
                landing_file,
                landing_line
        ) as delivery_rank
    from customer_messages
)

select
    workspace,
    phone_number_id,
    wamid,
    sent_at,
    coalesce(message_type, 'unknown') as message_type,
    customer_phone,
    customer_user_id,
    group_id is not null as is_group,
    text_length,
    received_at,
    position,
    landing_file,
    landing_line
from ranked
where delivery_rank = 1
