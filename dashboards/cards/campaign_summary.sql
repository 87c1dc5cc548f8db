-- What became of each campaign sent in the range, and what was ordered after it.
select
    campaign,
    sum(sent) as sent,
    sum(delivered) as delivered,
    sum(read) as read,
    sum(failed) as failed,
    sum(replied) as replied,
    cast(1.0 * sum(replied) / nullif(sum(sent), 0) as decimal(18, 6)) as reply_rate,
    sum(orders_after) as orders_after,
    sum(sales_after) as sales_after
from (@campaign_sends) as sends
group by campaign
order by sum(sent) desc, campaign
