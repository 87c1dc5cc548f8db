-- Business numbers that an inbox serves, and since when: known by the messages that both tell of.
with ticket_messages as (
    select * from {{ ref('int_ticket_messages') }}
),

whatsapp as (
    select * from {{ ref('int_whatsapp__messages') }}
),

workspaces as (
    select * from {{ ref('stg_settings__workspaces') }}
),

-- as of now: what both will tell of later binds no number yet
shared_channels as (
    select
        whatsapp.workspace,
        whatsapp.phone_number_id,
        ticket_messages.source,
        ticket_messages.account,
        ticket_messages.channel_id
    from whatsapp
    inner join ticket_messages
        on whatsapp.workspace = ticket_messages.workspace and whatsapp.wamid = ticket_messages.wamid
    inner join workspaces
        on whatsapp.workspace = workspaces.workspace
    where whatsapp.sent_at < workspaces.as_of
    group by
        whatsapp.workspace,
        whatsapp.phone_number_id,
        ticket_messages.source,
        ticket_messages.account,
        ticket_messages.channel_id
),

first_in_inbox as (
    select workspace, source, account, channel_id, min(sent_at) as served_from
    from ticket_messages
    group by workspace, source, account, channel_id
)

select
    shared_channels.workspace,
    shared_channels.phone_number_id,
    min(first_in_inbox.served_from) as served_from
from shared_channels
inner join first_in_inbox
    on
        shared_channels.workspace = first_in_inbox.workspace
        and shared_channels.source = first_in_inbox.source
        and shared_channels.account = first_in_inbox.account
        and shared_channels.channel_id = first_in_inbox.channel_id
group by shared_channels.workspace, shared_channels.phone_number_id
