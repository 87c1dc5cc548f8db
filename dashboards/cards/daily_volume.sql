-- Per local day: new conversations, messages by who wrote them, and how many stood open, unread and waiting at its end.
with daily as (
    select daily_metrics.*
    from marts.mart_daily_metrics as daily_metrics
    inner join (@chosen_channels) as chosen_channels
        on daily_metrics.workspace = chosen_channels.workspace and daily_metrics.channel = chosen_channels.channel
)

select
    chosen_dates.local_date,
    coalesce(sum(daily.new_conversations), 0) as new_conversations,
    coalesce(sum(daily.customer_messages), 0) as customer_messages,
    coalesce(sum(daily.agent_messages), 0) as agent_messages,
    coalesce(sum(daily.automation_messages), 0) as automation_messages,
    coalesce(sum(daily.unknown_messages), 0) as unknown_messages,
    coalesce(sum(daily.open_at_end), 0) as open_at_end,
    coalesce(sum(daily.unread_at_end), 0) as unread_at_end,
    coalesce(sum(daily.waiting_at_end), 0) as waiting_at_end,
    cast(sum(daily.response_seconds_sum) / nullif(sum(daily.answered_turns), 0) as decimal(18, 6)) as avg_response_seconds,
    cast(1.0 * sum(daily.answered_turns) / nullif(sum(daily.answered_turns) + sum(daily.unanswered_turns), 0) as decimal(18, 6))
        as answer_rate
from (@chosen_dates) as chosen_dates
left join daily
    on chosen_dates.workspace = daily.workspace and chosen_dates.local_date = daily.local_date
-- at midnight itself the new day is still empty
where chosen_dates.starts_at < chosen_dates.until_at
group by chosen_dates.local_date
order by chosen_dates.local_date
