-- Uses of tags per local day: applications, by whom. A baseline and a repeat are no use.
with tags as (
    select * from {{ ref('fct_tags') }}
)

select
    occurred_local_date as local_date,
    tag,
    actor_type,
    coalesce(actor_id, 'unknown') as actor_id,
    max(coalesce(actor_name, actor_type)) as actor_name,
    workspace,
    channel,
    count(case when action = 'applied' and not is_baseline then 1 end) as applications,
    count(case when action = 'removed' then 1 end) as removals,
    count(case when is_baseline then 1 end) as baseline_applications,
    count(distinct case when action = 'applied' and not is_baseline then conversation_id end) as tagged_conversations,
    cast(sum(case when action = 'applied' and not is_baseline then seconds_from_start end) as decimal(38, 6))
        as seconds_from_start_sum
from tags
group by occurred_local_date, tag, actor_type, coalesce(actor_id, 'unknown'), workspace, channel
