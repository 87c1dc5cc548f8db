-- Response time by the hour in which the customer began to write.
select
    hour_of_day,
    cast(sum(response_seconds_sum) / nullif(sum(answered_turns), 0) as decimal(18, 6)) as avg_response_seconds,
    sum(answered_turns) as answered_turns
from (@hourly_volume) as hourly_volume
group by hour_of_day
order by hour_of_day
