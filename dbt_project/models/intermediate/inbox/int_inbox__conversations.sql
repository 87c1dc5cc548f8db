-- Conversations of inbox exports, a row per conversation: the newest telling wins.
with conversations as (
    select * from {{ ref('stg_inbox__conversations') }}
),

ranked as (
    select
        *,
        row_number() over (
            partition by workspace, export_name, conversation_id
            order by updated_at desc nulls last, received_at desc nulls last, landing_file desc, landing_line desc
        ) as newest_first
    from conversations
)

select
    workspace,
    'inbox' as source,
    export_name as account,
    conversation_id as ticket_id,
    coalesce(channel, export_name) as channel_id,
    customer_id as contact_id,
    customer_phone,
    cast(null as string) as customer_user_id,
    created_at,
    status as snapshot_status,
    coalesce(updated_at, received_at) as snapshot_at,
    assignee_id,
    cast(null as string) as conversation_url
from ranked
where newest_first = 1
