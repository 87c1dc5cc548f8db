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
        case statuses.status when 'sent' then 1 when 'delivered' then 2 when 'read' then 3 when 'played' then 4 else 0 end
            as progress,
        row_number() over (
            partition by statuses.workspace, statuses.phone_number_id, statuses.wamid
            order by
                case when statuses.sender_tag is null then 1 else 0 end,
                statuses.happened_at,
                statuses.received_at nulls last,
                statuses.position,
                statuses.sender_tag
        ) as tag_rank,
        row_number() over (
            partition by statuses.workspace, statuses.phone_number_id, statuses.wamid
            order by statuses.received_at nulls last, statuses.position, statuses.landing_file, statuses.landing_line
        ) as arrival_rank
    from statuses
    inner join workspaces
        on statuses.workspace = workspaces.workspace
    where statuses.happened_at < workspaces.as_of
)

select
    workspace,
    phone_number_id,
    wamid,
    coalesce(min(case when status = 'sent' then happened_at end), min(happened_at)) as sent_at,
    case
        when max(progress) = 4 then 'played'
        when max(progress) = 3 then 'read'
        when max(progress) = 2 then 'delivered'
        -- delivery beats a failure that was told of the same message
        when max(case when status = 'failed' then 1 else 0 end) = 1 then 'failed'
        when max(progress) = 1 then 'sent'
    end as delivery_status,
    max(case when status = 'failed' then 1 else 0 end) = 1 and max(progress) < 2 as is_failed,
    min(case when status = 'delivered' then happened_at end) as delivered_at,
    min(case when status in ('read', 'played') then happened_at end) as read_at,
    min(case when status = 'failed' then happened_at end) as failed_at,
    max(customer_phone) as customer_phone,
    max(customer_user_id) as customer_user_id,
    max(case when group_id is not null then 1 else 0 end) = 1 as is_group,
    max(case when tag_rank = 1 then sender_tag end) as sender_tag,
    max(pricing_category) as pricing_category,
    max(pricing_type) as pricing_type,
    max(case when is_billable then 1 when not is_billable then 0 end) = 1 as is_billable,
    max(error_code) as error_code,
    max(case when arrival_rank = 1 then received_at end) as received_at,
    max(case when arrival_rank = 1 then position end) as position,
    max(case when arrival_rank = 1 then landing_file end) as landing_file,
    max(case when arrival_rank = 1 then landing_line end) as landing_line
from known_by_now
group by workspace, phone_number_id, wamid
