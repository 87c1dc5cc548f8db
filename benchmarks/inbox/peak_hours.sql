select
    extract(dow from timezone('Asia/Riyadh', timezone('UTC', created_at))) as weekday,
    extract(hour from timezone('Asia/Riyadh', timezone('UTC', created_at))) as hour_of_day,
    count(*) as customer_messages
from messages
where account_id = 1 and message_type = 0 and created_at >= %(from_at)s and created_at < %(until_at)s
group by 1, 2
order by 3 desc
