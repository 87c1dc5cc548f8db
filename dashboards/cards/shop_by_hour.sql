-- Orders by the hour of the clock at which they were made, and those after a chat among them.
select
    ordered_local_hour as hour_of_day,
    count(*) as orders,
    count(case when attribution_gap_seconds <= 259200 then 1 end) as assisted_orders
from (@chosen_orders) as orders
group by ordered_local_hour
order by ordered_local_hour
