-- Whether the numbers can be trusted, per source.
with loads as (
    select * from {{ ref('fct_source_loads') }}
),

messages as (
    select * from {{ ref('fct_messages') }}
),

turns as (
    select * from {{ ref('fct_turns') }}
),

channels as (
    select * from {{ ref('dim_channels') }}
),

workspaces as (
    select * from {{ ref('dim_workspaces') }}
),

message_findings as (
    select
        workspace,
        source,
        count(case when is_missing_in_inbox then 1 end) as messages_missing_in_inbox,
        count(case when conversation_id is null and not is_group and not is_missing_in_inbox then 1 end)
            as messages_without_conversation,
        count(case when author_type = 'unknown' and is_counted then 1 end) as messages_of_unknown_authors,
        count(case when is_group then 1 end) as group_messages,
        count(case when delivery_status = 'failed' then 1 end) as failed_messages
    from messages
    group by workspace, source
),

reply_findings as (
    select
        turns.workspace,
        channels.source,
        count(turns.answered_at) as answered_turns,
        count(case when turns.is_answered_by_unknown then 1 end) as turns_answered_by_unknown
    from turns
    inner join channels
        on turns.workspace = channels.workspace and turns.channel = channels.channel
    group by turns.workspace, channels.source
)

select
    loads.source,
    loads.workspace,
    loads.first_event_at as covered_from,
    loads.last_event_at,
    loads.last_received_at,
    {{ seconds_between('loads.last_event_at', 'workspaces.as_of') }} as lag_seconds,
    workspaces.as_of,
    loads.landed_lines,
    loads.loaded_lines,
    loads.rejected_lines,
    loads.rejected_items,
    loads.duplicate_lines,
    coalesce(message_findings.messages_missing_in_inbox, 0) as messages_missing_in_inbox,
    coalesce(message_findings.messages_without_conversation, 0) as messages_without_conversation,
    coalesce(message_findings.messages_of_unknown_authors, 0) as messages_of_unknown_authors,
    coalesce(message_findings.group_messages, 0) as group_messages,
    coalesce(message_findings.failed_messages, 0) as failed_messages,
    coalesce(reply_findings.answered_turns, 0) as answered_turns,
    coalesce(reply_findings.turns_answered_by_unknown, 0) as turns_answered_by_unknown
from loads
inner join workspaces
    on loads.workspace = workspaces.workspace
left join message_findings
    on loads.workspace = message_findings.workspace and loads.source = message_findings.source
left join reply_findings
    on loads.workspace = reply_findings.workspace and loads.source = reply_findings.source
