-- How many answered, by the hour of the clock at which they were written to.
select
    local_hour as hour_of_day,
    sum(sent) as sent,
    sum(replied) as replied,
    cast(1.0 * sum(replied) / nullif(sum(sent), 0) as decimal(18, 6)) as reply_rate
from (@campaign_sends) as sends
group by local_hour
order by local_hour
