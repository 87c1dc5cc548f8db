-- Counted orders made in the range.
select orders.*
from facts.fct_orders as orders
inner join (@ranges) as ranges
    on
        orders.workspace = ranges.workspace
        and ranges.range_name = 'chosen'
        and orders.ordered_at >= ranges.from_at
        and orders.ordered_at < ranges.until_at
where orders.is_counted
