-- Sales per local day: all, net of refunds, and after a chat.
with chosen_dates as (
    select *
    from facts.dim_dates
    where {{date}} [[and {{workspace}}]]
)

select
    chosen_dates.local_date,
    coalesce(sum(sales_daily.sales), 0) as sales,
    coalesce(sum(sales_daily.net_sales), 0) as net_sales,
    coalesce(sum(sales_daily.assisted_sales_3d), 0) as assisted_sales,
    coalesce(sum(sales_daily.orders), 0) as orders
from chosen_dates
left join marts.mart_sales_daily as sales_daily
    on chosen_dates.workspace = sales_daily.workspace and chosen_dates.local_date = sales_daily.local_date
-- at midnight itself the new day is still empty
where chosen_dates.starts_at < chosen_dates.until_at
group by chosen_dates.local_date
order by chosen_dates.local_date
