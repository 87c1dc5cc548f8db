select
    messages.id as wamid,
    changes.channel,
    'customer' as author,
    coalesce(messages.from_user_id, messages."from") as customer,
    to_timestamp(cast(messages.timestamp as bigint)) as sent_at,
    changes.received_at
from {{ source('raw', 'deliveries__entry__changes__value__messages') }} as messages
inner join {{ ref('stg_changes') }} as changes
    on messages._dlt_parent_id = changes.change_id
where messages.type not in ('reaction', 'edit', 'revoke', 'system')

union all

select
    echoes.id as wamid,
    changes.channel,
    'agent' as author,
    coalesce(echoes.to_user_id, echoes."to") as customer,
    to_timestamp(cast(echoes.timestamp as bigint)) as sent_at,
    changes.received_at
from {{ source('raw', 'deliveries__entry__changes__value__message_echoes') }} as echoes
inner join {{ ref('stg_changes') }} as changes
    on echoes._dlt_parent_id = changes.change_id
