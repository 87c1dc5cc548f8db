-- Orders by the hour of the clock at which they were made, and those after a chat among them.
select
    ordered_local_hour as hour_of_day,
    count(*) as orders,
    count(case when is_assisted then 1 end) as assisted_orders
from (@orders_after_chats) as orders
group by ordered_local_hour
order by ordered_local_hour
