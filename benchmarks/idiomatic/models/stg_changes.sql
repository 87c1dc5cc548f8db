select
    changes._dlt_id as change_id,
    deliveries.received_at,
    changes.value__metadata__phone_number_id as channel
from {{ source('raw', 'deliveries__entry__changes') }} as changes
inner join {{ source('raw', 'deliveries__entry') }} as entries
    on changes._dlt_parent_id = entries._dlt_id
inner join {{ source('raw', 'deliveries') }} as deliveries
    on entries._dlt_parent_id = deliveries._dlt_id
