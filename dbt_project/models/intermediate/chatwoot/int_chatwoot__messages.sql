-- One row per message of a customer or of the business. A message is seen many times and each sighting may lack
-- something (a page does not show its campaign, a first webhook not its wamid), so that each attribute is the
-- newest that was told; who spoke is decided once, from all of them.
with sightings as (select * from {{ ref('stg_chatwoot__messages') }}),

ordered as (
    select
        *,
        row_number() over (
            partition by workspace, account, message_id
            order by observed_at desc, received_at desc nulls last, landing_file desc, landing_line desc, position desc
        ) as age,
        row_number() over (
            partition by workspace, account, message_id
            order by received_at asc nulls last, landing_file asc, landing_line asc, position asc
        ) as arrival
    from sightings
),

messages as (
    select
        workspace,
        account,
        message_id,
        min_by(message_type, age) filter (where message_type is not null) as message_type,
        min_by(is_private, age) filter (where is_private is not null) as is_private,
        min_by(ticket_id, age) filter (where ticket_id is not null) as ticket_id,
        min_by(created_at, age) filter (where created_at is not null) as sent_at,
        min_by(channel_id, age) filter (where channel_id is not null) as channel_id,
        min_by(wamid, age) filter (where wamid is not null) as wamid,
        min_by(content_type, age) filter (where content_type is not null) as content_type,
        min_by(attachment_type, age) filter (where attachment_type is not null) as attachment_type,
        min_by(sender_type, age) filter (where sender_type is not null) as sender_type,
        min_by(sender_id, age) filter (where sender_id is not null) as sender_id,
        min_by(sender_name, age) filter (where sender_name is not null) as sender_name,
        min_by(text_length, age) filter (where text_length is not null and not is_deleted) as text_length,
        bool_or(automation_rule_id is not null or campaign_id is not null) as is_rule_or_campaign,
        max(campaign_id) as campaign_id,
        max(template_name) as template_name,
        bool_or(is_external_echo) as is_external_echo,
        bool_or(is_deleted) as is_deleted,
        -- Chatwoot itself may fall back from delivered to sent: the furthest state counts
        max(
            case status
                when 'sent' then 1
                when 'failed' then 2
                when 'delivered' then 3
                when 'read' then 4
                when 'played' then 5
            end
        ) as delivery_rank,
        coalesce(
            min(updated_at) filter (where is_deleted), min(received_at) filter (where is_deleted)
        ) as deleted_at,
        min(received_at) as received_at,
        min_by(position, arrival) as position,
        min_by(landing_file, arrival) as landing_file,
        min_by(landing_line, arrival) as landing_line
    from ordered
    group by workspace, account, message_id
),

spoken as (
    select
        *,
        case
            when message_type = 'incoming' then 'customer'
            when message_type = 'template' then 'automation'
            when is_rule_or_campaign then 'automation'
            when sender_type in ('agentbot', 'captainassistant') then 'automation'
            when sender_type = 'user' then 'agent'
            when sender_id is null and is_external_echo then 'agent'
            else 'unknown'
        end as author_type
    from messages
    -- notices and private notes are no messages
    where message_type in ('incoming', 'outgoing', 'template') and not is_private
)

select
    workspace,
    'chatwoot' as source,
    account,
    message_id as source_message_id,
    wamid,
    ticket_id,
    channel_id,
    sent_at,
    author_type,
    sender_id as author_source_id,
    sender_name as author_name,
    case
        when attachment_type = 'file' then 'document'
        when attachment_type = 'contact' then 'contacts'
        when attachment_type is not null then attachment_type
        when content_type in ('input_select', 'cards', 'form', 'input_text', 'input_textarea', 'input_email')
            then 'interactive'
        else coalesce(content_type, 'text')
    end as message_type,
    text_length,
    -- what a customer sent has arrived; its status says nothing
    case
        when author_type = 'customer' then null
        when delivery_rank = 1 then 'sent'
        when delivery_rank = 2 then 'failed'
        when delivery_rank = 3 then 'delivered'
        when delivery_rank = 4 then 'read'
        when delivery_rank = 5 then 'played'
    end as delivery_status,
    cast(message_id as bigint) as sequence,
    received_at,
    position,
    false as is_group,
    -- Chatwoot keeps no edits
    cast(null as {{ instant_type() }}) as edited_at,
    case when is_deleted then deleted_at end as revoked_at,
    coalesce('campaign:' || campaign_id, 'template:' || template_name) as sender_tag,
    landing_file,
    landing_line
from spoken
