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

sources_with_reads as (
    select workspace, source
    from reads
    group by workspace, source
)

select
    seen.channel,
    seen.workspace,
    seen.source,
    coalesce(number_names.channel_name, seen.channel) as channel_name,
    covered.covered_from,
    seen.first_message_at,
    seen.last_message_at,
    cast({{ local_timestamp('seen.first_message_at', 'workspaces.timezone') }} as date) as first_local_date,
    case when sources_with_reads.source is not null then 'read_events' else 'agent_activity' end as unread_basis,
    -- sessions and exports without a status end by themselves
    seen.source = 'whatsapp' as is_closed_by_silence
from seen
inner join workspaces
    on seen.workspace = workspaces.workspace
inner join covered
    on seen.workspace = covered.workspace and seen.source = covered.source
left join number_names
    on seen.workspace = number_names.workspace and seen.channel = number_names.channel
left join sources_with_reads
    on seen.workspace = sources_with_reads.workspace and seen.source = sources_with_reads.source
