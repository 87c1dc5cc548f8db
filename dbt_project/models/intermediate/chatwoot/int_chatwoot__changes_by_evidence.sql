-- What each kind of evidence counts as a change. Applying a carried tag again is a repeat; so is a status told twice
-- within five minutes (two webhooks tell of one change). The first of a run stays, with the first actor it knows.
with told_changes as (select * from {{ ref('int_chatwoot__told_changes') }}),

actor_names as (select * from {{ ref('int_chatwoot__actor_names') }}),

users as (select * from {{ ref('int_chatwoot__agents') }}),

resolved as (
    select
        told.workspace,
        told.account,
        told.ticket_id,
        told.subject,
        told.tag,
        told.action,
        told.evidence,
        told.occurred_at,
        told.message_number,
        told.received_at,
        told.landing_file,
        told.landing_line,
        case
            when told.actor_kind = 'user' then 'agent'
            when told.actor_kind = 'named' and named_agents.actor_name is not null then 'agent'
            when told.actor_kind = 'named' and named_bots.actor_name is not null then 'automation'
            when told.actor_kind = 'named' then 'agent'
            when told.actor_kind is null then 'unknown'
            else told.actor_kind
        end as actor_type,
        case
            when told.evidence = 'event' then told.actor_id
            when told.actor_kind = 'named' and named_agents.actor_name is not null then named_agents.actor_id
            when told.actor_kind in ('named', 'automation') then named_bots.actor_id
        end as actor_id,
        coalesce(told.actor_name, users.agent_name) as actor_name
    from told_changes as told
    left join actor_names as named_agents
        on
            told.workspace = named_agents.workspace
            and told.account = named_agents.account
            and told.actor_name = named_agents.actor_name
            and named_agents.actor_type = 'agent'
            and told.evidence = 'activity'
    left join actor_names as named_bots
        on
            told.workspace = named_bots.workspace
            and told.account = named_bots.account
            and told.actor_name = named_bots.actor_name
            and named_bots.actor_type = 'automation'
            and told.evidence = 'activity'
    left join users
        on
            told.workspace = users.workspace
            and told.account = users.account
            and told.actor_id = users.agent_id
            and told.actor_kind = 'user'
),

numbered as (
    select
        *,
        row_number() over (
            partition by workspace, account, ticket_id, subject, tag, evidence
            order by occurred_at, message_number, received_at nulls last, landing_file, landing_line, action
        ) as change_number
    from resolved
),

compared as (
    select
        *,
        lag(action) over (
            partition by workspace, account, ticket_id, subject, tag, evidence order by change_number
        ) as previous_action,
        lag(occurred_at) over (
            partition by workspace, account, ticket_id, subject, tag, evidence order by change_number
        ) as previous_at
    from numbered
),

runs as (
    select
        *,
        sum(
            case
                when previous_action is null or previous_action <> action then 1
                when subject = 'status' and occurred_at > previous_at + interval '5' minute then 1
                else 0
            end
        ) over (
            partition by workspace, account, ticket_id, subject, tag, evidence
            order by change_number
            rows between unbounded preceding and current row
        ) as run_number
    from compared
),

begun_runs as (
    select
        *,
        min(occurred_at) over (
            partition by workspace, account, ticket_id, subject, tag, evidence, run_number
        ) as run_begun_at
    from runs
)

select
    workspace,
    account,
    ticket_id,
    subject,
    tag,
    action,
    evidence,
    run_number,
    workspace || '|' || account || '|' || ticket_id || '|' || subject || '|' || action || '|' || tag as change_group,
    min(occurred_at) as occurred_at,
    coalesce(min_by(actor_type, change_number) filter (where actor_type <> 'unknown' and is_near), 'unknown')
        as actor_type,
    min_by(actor_id, change_number) filter (where actor_type <> 'unknown' and is_near and actor_id is not null)
        as actor_id,
    min_by(actor_name, change_number) filter (where actor_type <> 'unknown' and is_near and actor_name is not null)
        as actor_name
from (select *, occurred_at <= run_begun_at + interval '5' minute as is_near from begun_runs) as near_runs
group by workspace, account, ticket_id, subject, tag, action, evidence, run_number
