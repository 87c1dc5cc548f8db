-- Whether the numbers can be trusted, per source.
with loads as (
    select * from {{ ref('fct_source_loads') }}
),

states as (
    select * from {{ ref('fct_source_states') }}
),

counts as (
    select * from {{ ref('fct_source_counts') }}
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
),

sources as (
    select source, workspace from loads
    union
    select source, workspace from states
),

states_of_sources as (
    select
        source,
        workspace,
        max(case when kind = 'pull' then 1 else 0 end) = 1 as is_pulled,
        max(case when kind = 'receiver' then 1 else 0 end) = 1 as is_received,
        max(case when kind = 'pull' then last_attempt_at end) as pull_attempt_at,
        max(case when kind = 'pull' then last_success_at end) as pull_success_at,
        max(case when kind = 'pull' then problem end) as pull_problem,
        max(case when kind = 'receiver' then last_attempt_at end) as receiver_attempt_at,
        max(case when kind = 'receiver' then last_success_at end) as receiver_success_at,
        max(case when kind = 'receiver' then problem end) as receiver_problem
    from states
    group by source, workspace
),

-- Which door brings everything. Graph never gives a message, so WhatsApp lives by its webhooks; Chatwoot and Salla may
-- drop a webhook, so where they are asked it is the asking that counts. Without a door there is only what is imported.
with_basis as (
    select
        sources.source,
        sources.workspace,
        states_of_sources.pull_attempt_at,
        states_of_sources.pull_success_at,
        states_of_sources.receiver_attempt_at,
        states_of_sources.receiver_success_at,
        case
            when sources.source = 'whatsapp' and states_of_sources.is_received then 'receiver'
            when sources.source = 'whatsapp' then 'import'
            when states_of_sources.is_pulled then 'pull'
            when states_of_sources.is_received then 'receiver'
            else 'import'
        end as success_basis,
        states_of_sources.pull_problem,
        states_of_sources.receiver_problem
    from sources
    left join states_of_sources
        on sources.source = states_of_sources.source and sources.workspace = states_of_sources.workspace
),

-- An import is complete as far as it goes; what names no time goes nowhere. Of an export nobody knows when it was made,
-- only when it was imported.
loads_until as (
    select
        loads.source,
        loads.workspace,
        least(
            case
                when loads.source = 'inbox' then loads.last_event_at
                else greatest(loads.last_event_at, loads.last_received_at)
            end,
            workspaces.as_of
        ) as complete_at
    from loads
    inner join workspaces
        on loads.workspace = workspaces.workspace
    where loads.last_event_at is not null or loads.last_received_at is not null
),

heard as (
    select
        with_basis.source,
        with_basis.workspace,
        with_basis.success_basis,
        case with_basis.success_basis
            when 'pull' then with_basis.pull_attempt_at
            when 'receiver' then with_basis.receiver_attempt_at
        end as last_attempt_at,
        case with_basis.success_basis
            when 'pull' then with_basis.pull_success_at
            when 'receiver' then with_basis.receiver_success_at
            else loads_until.complete_at
        end as last_success_at,
        -- two runs an hour apart may fail; a living receiver says so four times a minute; imports come by the day
        case with_basis.success_basis when 'pull' then 10800 when 'receiver' then 600 else 86400 end as stale_after_seconds,
        case with_basis.success_basis
            when 'receiver' then coalesce(with_basis.receiver_problem, with_basis.pull_problem)
            else coalesce(with_basis.pull_problem, with_basis.receiver_problem)
        end as problem,
        workspaces.as_of
    from with_basis
    inner join workspaces
        on with_basis.workspace = workspaces.workspace
    left join loads_until
        on with_basis.source = loads_until.source and with_basis.workspace = loads_until.workspace
),

judged as (
    select
        *,
        last_success_at is null or {{ seconds_between('last_success_at', 'as_of') }} > stale_after_seconds as is_stale
    from heard
),

-- told for as long as readers look at those days: this month, the last one and what they are compared with
gaps as (
    select
        loads.source,
        loads.workspace,
        'nothing is known from '
        || cast(cast({{ local_timestamp('loads.gap_from_at', 'workspaces.timezone') }} as date) as string)
        || ' to '
        || cast(cast({{ local_timestamp('loads.gap_to_at', 'workspaces.timezone') }} as date) as string)
        || ', where the import ends and the receiver begins' as told
    from loads
    inner join workspaces
        on loads.workspace = workspaces.workspace
    where loads.gap_to_at > workspaces.as_of - interval 92 day
),

comparisons as (
    select
        counts.source,
        counts.workspace,
        count(*) as compared_counts,
        count(case when not counts.is_in_agreement then 1 end) as differing_counts,
        max(abs(counts.difference)) as max_difference
    from counts
    inner join workspaces
        on counts.workspace = workspaces.workspace
    where counts.to_at >= workspaces.as_of - interval 30 day
    group by counts.source, counts.workspace
)

select
    judged.source,
    judged.workspace,
    loads.first_event_at as covered_from,
    loads.last_event_at,
    loads.last_received_at,
    {{ seconds_between('loads.last_event_at', 'judged.as_of') }} as lag_seconds,
    judged.as_of,
    judged.success_basis,
    judged.last_attempt_at,
    judged.last_success_at,
    judged.is_stale,
    case when judged.is_stale then judged.last_success_at end as stale_since,
    coalesce(judged.problem, gaps.told) as problem,
    loads.gap_from_at,
    loads.gap_to_at,
    coalesce(loads.landed_lines, 0) as landed_lines,
    coalesce(loads.loaded_lines, 0) as loaded_lines,
    coalesce(loads.rejected_lines, 0) as rejected_lines,
    coalesce(loads.rejected_items, 0) as rejected_items,
    coalesce(loads.duplicate_lines, 0) as duplicate_lines,
    coalesce(comparisons.compared_counts, 0) as compared_counts,
    coalesce(comparisons.differing_counts, 0) as differing_counts,
    comparisons.max_difference,
    coalesce(message_findings.messages_missing_in_inbox, 0) as messages_missing_in_inbox,
    coalesce(message_findings.messages_without_conversation, 0) as messages_without_conversation,
    coalesce(message_findings.messages_of_unknown_authors, 0) as messages_of_unknown_authors,
    coalesce(message_findings.group_messages, 0) as group_messages,
    coalesce(message_findings.failed_messages, 0) as failed_messages,
    coalesce(reply_findings.answered_turns, 0) as answered_turns,
    coalesce(reply_findings.turns_answered_by_unknown, 0) as turns_answered_by_unknown
from judged
left join loads
    on judged.source = loads.source and judged.workspace = loads.workspace
left join gaps
    on judged.source = gaps.source and judged.workspace = gaps.workspace
left join comparisons
    on judged.source = comparisons.source and judged.workspace = comparisons.workspace
left join message_findings
    on judged.source = message_findings.source and judged.workspace = message_findings.workspace
left join reply_findings
    on judged.source = reply_findings.source and judged.workspace = reply_findings.workspace
