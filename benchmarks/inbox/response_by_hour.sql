with turns as ((@turns))

select
    extract(hour from timezone('Asia/Riyadh', timezone('UTC', started_at))) as hour_of_day,
    avg(response_seconds) as avg_response_seconds,
    count(response_seconds) as answered_turns
from turns
where started_at >= %(from_at)s
group by 1
order by 1
