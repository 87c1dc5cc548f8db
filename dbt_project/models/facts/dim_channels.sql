{{ config(meta={'covered': true}) }}

-- Business numbers and inboxes. No number is shown: a name where one is known, else the source's id.
with messages as (
    select * from {{ ref('int_conversation_messages') }}
),

workspaces as (
    select * from {{ ref('stg_settings__workspaces') }}
),

number_names as (
    select * from {{ ref('int_channel_names') }}
),

reads as (
    select * from {{ ref('int_reads') }}
),

conversations as (
    select * from {{ ref('int_conversations') }}
),

status_changes as (
    select * from {{ ref('int_status_changes') }}
),

seen as (
    select
        workspace,
        source,
        channel,
        min(sent_at) as first_message_at,
        max(sent_at) as last_message_at
    from messages
    where is_counted
    group by workspace, source, channel
),

-- a source covers a period from the first thing it told
covered as (
    select workspace, source, min(first_message_at) as covered_from
    from seen
    group by workspace, source
),

-- an inbox may name its channel by the number that had sessions before it: one channel, now the inbox's
by_channel as (
    select
        seen.workspace,
        seen.channel,
        max_by(seen.source, seen.last_message_at) as source,
        min(covered.covered_from) as covered_from,
        min(seen.first_message_at) as first_message_at,
        max(seen.last_message_at) as last_message_at
    from seen
    inner join covered
        on seen.workspace = covered.workspace and seen.source = covered.source
    group by seen.workspace, seen.channel
),

-- sessions end by themselves, and so do tickets of an export that tells no status
closed_by_silence as (
    select conversations.workspace, conversations.channel
    from conversations
    inner join status_changes
        on conversations.conversation_id = status_changes.conversation_id
    where status_changes.evidence = 'silence'
    group by conversations.workspace, conversations.channel
),

sources_with_reads as (
    select workspace, source
    from reads
    group by workspace, source
)

select
    by_channel.channel,
    by_channel.workspace,
    by_channel.source,
    coalesce(number_names.channel_name, by_channel.channel) as channel_name,
    number_names.phone_number,
    by_channel.covered_from,
    by_channel.first_message_at,
    by_channel.last_message_at,
    cast({{ local_timestamp('by_channel.covered_from', 'workspaces.timezone') }} as date) as covered_local_date,
    cast(extract(hour from {{ local_timestamp('by_channel.covered_from', 'workspaces.timezone') }}) as integer)
        as covered_local_hour,
    cast({{ local_timestamp('by_channel.first_message_at', 'workspaces.timezone') }} as date) as first_local_date,
    case when sources_with_reads.source is not null then 'read_events' else 'agent_activity' end as unread_basis,
    by_channel.source = 'whatsapp' or closed_by_silence.channel is not null as is_closed_by_silence
from by_channel
inner join workspaces
    on by_channel.workspace = workspaces.workspace
left join number_names
    on by_channel.workspace = number_names.workspace and by_channel.channel = number_names.channel
left join sources_with_reads
    on by_channel.workspace = sources_with_reads.workspace and by_channel.source = sources_with_reads.source
left join closed_by_silence
    on by_channel.workspace = closed_by_silence.workspace and by_channel.channel = closed_by_silence.channel
