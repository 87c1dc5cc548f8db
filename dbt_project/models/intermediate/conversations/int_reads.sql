-- Agents' reads, up to now.
with inbox as (
    select * from {{ ref('int_inbox__read_events') }}
),

chatwoot as (
    select * from {{ ref('int_chatwoot__read_events') }}
),

tickets as (
    select * from {{ ref('int_tickets') }}
),

workspaces as (
    select * from {{ ref('stg_settings__workspaces') }}
),

source_reads as (
    select * from inbox
    union all
    select * from chatwoot
)

select
    tickets.conversation_id,
    source_reads.workspace,
    source_reads.source,
    source_reads.account,
    source_reads.read_at,
    source_reads.agent_id as agent_source_id,
    source_reads.evidence
from source_reads
inner join tickets
    on
        source_reads.workspace = tickets.workspace
        and source_reads.source = tickets.source
        and source_reads.account = tickets.account
        and source_reads.ticket_id = tickets.ticket_id
inner join workspaces
    on source_reads.workspace = workspaces.workspace
where source_reads.read_at < workspaces.as_of
