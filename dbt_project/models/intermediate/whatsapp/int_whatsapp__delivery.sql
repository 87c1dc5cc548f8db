{{ config(materialized='view') }}

-- What the statuses of one sent message tell together, in whatever order they came.
with statuses as (
    select * from {{ ref('stg_whatsapp__statuses') }}
),

workspaces as (
    select * from {{ ref('stg_settings__workspaces') }}
),

known_by_now as (
    select
        statuses.*,
        case statuses.status
            when 'sent' then 1 when 'delivered' then 2 when 'read' then 3 when 'played' then 4 when 'failed' then -1 else 0
        end as progress
    from statuses
    inner join workspaces
        on statuses.workspace = workspaces.workspace
    where statuses.happened_at < workspaces.as_of
),

told_together as (
    select
        workspace,
        phone_number_id,
        wamid,
        coalesce(min(case when progress = 1 then happened_at end), min(happened_at)) as sent_at,
        max(progress) as furthest,
        min(progress) = -1 as has_failed,
        min(case when progress = 2 then happened_at end) as delivered_at,
        min(case when progress in (3, 4) then happened_at end) as read_at,
        min(case when progress = -1 then happened_at end) as failed_at,
        max(customer_phone) as customer_phone,
        max(customer_user_id) as customer_user_id,
        count(group_id) > 0 as is_group,
        {{ first_in_order(['happened_at', 'received_at', 'position', 'sender_tag']) }} filter (where sender_tag is not null)
            as first_tagged,
        max(pricing_category) as pricing_category,
        max(pricing_type) as pricing_type,
        max(case when is_billable then 1 when not is_billable then 0 end) = 1 as is_billable,
        max(error_code) as error_code,
        {{ first_in_order(['received_at', 'position', 'landing_file', 'landing_line']) }} as first_arrived
    from known_by_now
    group by workspace, phone_number_id, wamid
)

select
    workspace,
    phone_number_id,
    wamid,
    sent_at,
    case
        when furthest = 4 then 'played'
        when furthest = 3 then 'read'
        when furthest = 2 then 'delivered'
        -- delivery beats a failure that was told of the same message
        when has_failed then 'failed'
        when furthest = 1 then 'sent'
    end as delivery_status,
    has_failed and furthest < 2 as is_failed,
    delivered_at,
    read_at,
    failed_at,
    customer_phone,
    customer_user_id,
    is_group,
    first_tagged.sender_tag,
    pricing_category,
    pricing_type,
    is_billable,
    error_code,
    first_arrived.received_at,
    first_arrived.position,
    first_arrived.landing_file,
    first_arrived.landing_line
from told_together
