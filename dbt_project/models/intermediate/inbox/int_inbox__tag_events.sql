-- Tag events of exports, each once, without repeats: applying a carried tag is no use of it.
with tag_events as (
    select * from {{ ref('stg_inbox__tag_events') }}
),

each_once as (
    select
        workspace,
        export_name,
        conversation_id,
        tag,
        action,
        occurred_at,
        coalesce(max(actor_type) filter (where actor_type <> 'unknown'), 'unknown') as actor_type,
        max(actor_id) as actor_id,
        max(actor_name) as actor_name
    from tag_events
    group by workspace, export_name, conversation_id, tag, action, occurred_at
),

with_previous as (
    select
        *,
        lag(action) over (
            partition by workspace, export_name, conversation_id, tag
            -- at one instant a removal makes room for the application
            order by occurred_at asc, action desc
        ) as previous_action
    from each_once
)

select
    workspace,
    'inbox' as source,
    export_name as account,
    conversation_id as ticket_id,
    tag,
    action,
    occurred_at,
    actor_type,
    actor_id,
    actor_name,
    'event' as evidence,
    false as is_baseline
from with_previous
where previous_action is distinct from action
