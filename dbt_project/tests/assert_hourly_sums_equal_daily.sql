-- Two ways to one number: hours of a day add up to the day.
with hourly as (
    select
        workspace,
        channel,
        cast(local_hour as date) as local_date,
        sum(messages) as messages,
        sum(new_conversations) as new_conversations,
        sum(answered_turns) as answered_turns,
        sum(response_seconds_sum) as response_seconds_sum
    from {{ ref('mart_hourly_metrics') }}
    group by workspace, channel, cast(local_hour as date)
)

select daily.*
from {{ ref('mart_daily_metrics') }} as daily
left join hourly
    on
        daily.workspace = hourly.workspace
        and daily.channel = hourly.channel
        and daily.local_date = hourly.local_date
where
    daily.messages <> coalesce(hourly.messages, 0)
    or daily.new_conversations <> coalesce(hourly.new_conversations, 0)
    or daily.answered_turns <> coalesce(hourly.answered_turns, 0)
    or coalesce(daily.response_seconds_sum, 0) <> coalesce(hourly.response_seconds_sum, 0)
