-- By weekday and hour of the clock: customers' messages and response time. From 14 days on the mean per occurrence of
-- that hour, under 14 days the count. Occurrences begin with the first event of what is chosen and leave out the hour
-- that is running.
with chosen_dates as (
    select *
    from facts.dim_dates
    where {{date}} [[and {{workspace}}]]
),

chosen_channels as (
    select *
    from facts.dim_channels
    where {{channel}}
),

range_length as (
    select count(distinct local_date) as days
    from chosen_dates
),

clock_hours (hour_of_day) as (
    values
    (0), (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11),
    (12), (13), (14), (15), (16), (17), (18), (19), (20), (21), (22), (23)
),

coverage as (
    select workspace, covered_local_date, covered_local_hour
    from (
        select
            workspace,
            covered_local_date,
            covered_local_hour,
            row_number() over (partition by workspace order by covered_from) as place
        from chosen_channels
    ) as by_age
    where place = 1
),

occurrences as (
    select
        chosen_dates.workspace,
        chosen_dates.local_date,
        chosen_dates.weekday,
        clock_hours.hour_of_day
    from chosen_dates
    inner join coverage
        on chosen_dates.workspace = coverage.workspace
    cross join clock_hours
    where
        clock_hours.hour_of_day < chosen_dates.hours_over
        and (
            chosen_dates.local_date > coverage.covered_local_date
            or (
                chosen_dates.local_date = coverage.covered_local_date
                and clock_hours.hour_of_day >= coverage.covered_local_hour
            )
        )
),

hourly as (
    select
        hourly_metrics.workspace,
        hourly_metrics.local_date,
        hourly_metrics.hour_of_day,
        sum(hourly_metrics.customer_messages) as customer_messages,
        sum(hourly_metrics.agent_messages) as agent_messages,
        sum(hourly_metrics.automation_messages) as automation_messages,
        sum(hourly_metrics.begun_response_seconds_sum) as response_seconds_sum,
        sum(hourly_metrics.begun_turns_answered) as answered_turns
    from marts.mart_hourly_metrics as hourly_metrics
    inner join chosen_channels
        on hourly_metrics.workspace = chosen_channels.workspace and hourly_metrics.channel = chosen_channels.channel
    group by hourly_metrics.workspace, hourly_metrics.local_date, hourly_metrics.hour_of_day
),

by_weekday_hour as (
    select
        occurrences.weekday,
        occurrences.hour_of_day,
        count(distinct occurrences.local_date) as occurrences,
        coalesce(sum(hourly.customer_messages), 0) as customer_messages,
        coalesce(sum(hourly.agent_messages), 0) as agent_messages,
        coalesce(sum(hourly.automation_messages), 0) as automation_messages,
        coalesce(sum(hourly.answered_turns), 0) as answered_turns,
        sum(hourly.response_seconds_sum) as response_seconds_sum
    from occurrences
    left join hourly
        on
            occurrences.workspace = hourly.workspace
            and occurrences.local_date = hourly.local_date
            and occurrences.hour_of_day = hourly.hour_of_day
    group by occurrences.weekday, occurrences.hour_of_day
)

select
    by_weekday_hour.weekday,
    by_weekday_hour.hour_of_day,
    by_weekday_hour.occurrences,
    by_weekday_hour.customer_messages,
    by_weekday_hour.agent_messages,
    by_weekday_hour.automation_messages,
    by_weekday_hour.answered_turns,
    by_weekday_hour.response_seconds_sum,
    range_length.days >= 14 as is_mean,
    case
        when range_length.days >= 14
            then cast(1.0 * by_weekday_hour.customer_messages / by_weekday_hour.occurrences as decimal(18, 6))
        else cast(by_weekday_hour.customer_messages as decimal(18, 6))
    end as customer_messages_mean,
    cast(by_weekday_hour.response_seconds_sum / nullif(by_weekday_hour.answered_turns, 0) as decimal(18, 6))
        as avg_response_seconds
from by_weekday_hour
cross join range_length
order by by_weekday_hour.weekday, by_weekday_hour.hour_of_day
