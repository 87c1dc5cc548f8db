select
    statuses.id as wamid,
    changes.channel,
    case
        when statuses.biz_opaque_callback_data like 'agent:%' then 'agent'
        when statuses.biz_opaque_callback_data is not null then 'automation'
        else 'agent'
    end as author,
    coalesce(statuses.recipient_user_id, statuses.recipient_id) as customer,
    statuses.status,
    to_timestamp(cast(statuses.timestamp as bigint)) as happened_at,
    changes.received_at
from {{ source('raw', 'deliveries__entry__changes__value__statuses') }} as statuses
inner join {{ ref('stg_changes') }} as changes
    on statuses._dlt_parent_id = changes.change_id
