-- Every counted message is in exactly one day of its channel.
with daily as (
    select workspace, channel, sum(messages) as messages, sum(new_conversations) as new_conversations
    from {{ ref('mart_daily_metrics') }}
    group by workspace, channel
),

counted as (
    select workspace, channel, count(*) as messages
    from {{ ref('fct_messages') }}
    where is_counted
    group by workspace, channel
)

select *
from daily
full outer join counted
    on daily.workspace = counted.workspace and daily.channel = counted.channel
where daily.messages is distinct from counted.messages
