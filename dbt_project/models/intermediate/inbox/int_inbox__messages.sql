-- Messages of inbox exports, a row per message: the newest telling wins.
with messages as (
    select * from {{ ref('stg_inbox__messages') }}
),

conversations as (
    select * from {{ ref('int_inbox__conversations') }}
),

ranked as (
    select
        *,
        row_number() over (
            partition by workspace, export_name, message_id
            order by updated_at desc nulls last, received_at desc nulls last, landing_file desc, landing_line desc
        ) as newest_first
    from messages
)

select
    ranked.workspace,
    'inbox' as source,
    ranked.export_name as account,
    ranked.message_id as source_message_id,
    case when ranked.message_id like 'wamid.%' then ranked.message_id end as wamid,
    ranked.conversation_id as ticket_id,
    coalesce(conversations.channel_id, ranked.export_name) as channel_id,
    ranked.sent_at,
    ranked.author_type,
    ranked.author_id as author_source_id,
    ranked.author_name,
    coalesce(ranked.message_type, 'text') as message_type,
    cast(ranked.text_length as bigint) as text_length,
    ranked.delivery_status,
    ranked.sequence,
    -- an export tells no receipt; its own order is `sequence`, then the id
    cast(null as {{ instant_type() }}) as received_at,
    cast(null as bigint) as position,
    false as is_group,
    cast(null as {{ instant_type() }}) as edited_at,
    cast(null as {{ instant_type() }}) as revoked_at,
    cast(null as string) as sender_tag,
    ranked.landing_file,
    ranked.landing_line
from ranked
left join conversations
    on
        ranked.workspace = conversations.workspace
        and ranked.export_name = conversations.account
        and ranked.conversation_id = conversations.ticket_id
-- notices are no messages
where ranked.newest_first = 1 and ranked.author_type <> 'system'
