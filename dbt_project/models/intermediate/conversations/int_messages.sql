{{ config(materialized='view') }}

-- One row per message of any source, up to now. A message that Meta and an inbox both tell of is one: conversation
-- and author come from the inbox; time, delivery and price from Meta.
with ticket_messages as (
    select * from {{ ref('int_ticket_messages') }}
),

whatsapp as (
    select * from {{ ref('int_whatsapp__messages') }}
),

-- read once more: what a query reads twice under one name is held in memory as a whole
whatsapp_in_an_inbox as (
    select * from {{ ref('int_whatsapp__messages') }}
),

whatsapp_matches as (
    select * from {{ ref('int_whatsapp_matches') }}
),

served_numbers as (
    select * from {{ ref('int_served_numbers') }}
),

whatsapp_numbers as (
    select * from {{ ref('stg_settings__whatsapp_numbers') }}
),

workspaces as (
    select * from {{ ref('stg_settings__workspaces') }}
),

in_an_inbox as (
    select
        {{ keyed_hash([
            "'message'", "ticket_messages.workspace", "ticket_messages.source", "ticket_messages.account",
            "ticket_messages.source_message_id",
        ]) }} as message_id,
        ticket_messages.workspace,
        ticket_messages.source,
        ticket_messages.account,
        ticket_messages.channel_id,
        ticket_messages.ticket_id,
        ticket_messages.source_message_id,
        ticket_messages.wamid,
        whatsapp_in_an_inbox.phone_number_id,
        coalesce(whatsapp_in_an_inbox.sent_at, ticket_messages.sent_at) as sent_at,
        ticket_messages.author_type,
        ticket_messages.author_source_id,
        ticket_messages.author_name,
        ticket_messages.message_type,
        coalesce(ticket_messages.text_length, whatsapp_in_an_inbox.text_length) as text_length,
        coalesce(whatsapp_in_an_inbox.delivery_status, ticket_messages.delivery_status) as delivery_status,
        whatsapp_in_an_inbox.customer_phone,
        whatsapp_in_an_inbox.customer_user_id,
        ticket_messages.is_group or coalesce(whatsapp_in_an_inbox.is_group, false) as is_group,
        false as is_missing_in_inbox,
        coalesce(ticket_messages.edited_at, whatsapp_in_an_inbox.edited_at) as edited_at,
        coalesce(ticket_messages.revoked_at, whatsapp_in_an_inbox.revoked_at) as revoked_at,
        coalesce(ticket_messages.sender_tag, whatsapp_in_an_inbox.sender_tag) as sender_tag,
        whatsapp_in_an_inbox.delivered_at,
        whatsapp_in_an_inbox.read_at,
        whatsapp_in_an_inbox.failed_at,
        whatsapp_in_an_inbox.pricing_category,
        whatsapp_in_an_inbox.pricing_type,
        whatsapp_in_an_inbox.is_billable,
        ticket_messages.sequence,
        ticket_messages.received_at,
        ticket_messages.position,
        ticket_messages.landing_file,
        ticket_messages.landing_line
    from ticket_messages
    left join whatsapp_matches
        on
            ticket_messages.workspace = whatsapp_matches.workspace
            and ticket_messages.source = whatsapp_matches.source
            and ticket_messages.account = whatsapp_matches.account
            and ticket_messages.source_message_id = whatsapp_matches.source_message_id
    left join whatsapp_in_an_inbox
        on
            whatsapp_matches.workspace = whatsapp_in_an_inbox.workspace
            and whatsapp_matches.phone_number_id = whatsapp_in_an_inbox.phone_number_id
            and whatsapp_matches.wamid = whatsapp_in_an_inbox.wamid
),

only_at_meta as (
    select
        whatsapp.message_id,
        whatsapp.workspace,
        'whatsapp' as source,
        whatsapp.phone_number_id as account,
        whatsapp.phone_number_id as channel_id,
        cast(null as string) as ticket_id,
        whatsapp.wamid as source_message_id,
        whatsapp.wamid,
        whatsapp.phone_number_id,
        whatsapp.sent_at,
        whatsapp.author_type,
        whatsapp.author_source_id,
        whatsapp.author_source_id as author_name,
        whatsapp.message_type,
        cast(whatsapp.text_length as bigint) as text_length,
        whatsapp.delivery_status,
        whatsapp.customer_phone,
        whatsapp.customer_user_id,
        whatsapp.is_group,
        -- a number that an inbox serves has no sessions any more: what the inbox lacks is a finding
        coalesce(whatsapp.sent_at >= served_numbers.served_from, false) and not whatsapp.is_group as is_missing_in_inbox,
        whatsapp.edited_at,
        whatsapp.revoked_at,
        whatsapp.sender_tag,
        whatsapp.delivered_at,
        whatsapp.read_at,
        whatsapp.failed_at,
        whatsapp.pricing_category,
        whatsapp.pricing_type,
        whatsapp.is_billable,
        cast(null as bigint) as sequence,
        whatsapp.received_at,
        whatsapp.position,
        whatsapp.landing_file,
        whatsapp.landing_line
    from whatsapp
    left join whatsapp_matches
        on
            whatsapp.workspace = whatsapp_matches.workspace
            and whatsapp.phone_number_id = whatsapp_matches.phone_number_id
            and whatsapp.wamid = whatsapp_matches.wamid
    left join served_numbers
        on whatsapp.workspace = served_numbers.workspace and whatsapp.phone_number_id = served_numbers.phone_number_id
    where whatsapp_matches.wamid is null
),

together as (
    select * from in_an_inbox
    union all
    select * from only_at_meta
)

select
    together.*,
    together.author_type = 'agent'
    or (
        together.author_type = 'unknown'
        and coalesce(own_setting.untagged_sends_are, general_setting.untagged_sends_are, 'agent') = 'agent'
    ) as is_human,
    coalesce(together.delivery_status = 'failed', false) as is_failed,
    not(
        coalesce(together.delivery_status = 'failed', false) or together.is_group or together.is_missing_in_inbox
    ) as is_counted
from together
inner join workspaces
    on together.workspace = workspaces.workspace
left join whatsapp_numbers as own_setting
    on together.workspace = own_setting.workspace and together.phone_number_id = own_setting.phone_number_id
left join whatsapp_numbers as general_setting
    on together.workspace = general_setting.workspace and general_setting.phone_number_id = '*'
where together.sent_at < workspaces.as_of
