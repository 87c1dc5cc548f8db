-- Sales per local day: all, net of refunds, and after a chat.
with assisted as (
    select
        workspace,
        ordered_local_date as local_date,
        sum(total) as assisted_sales
    from (@orders_after_chats) as orders
    where is_assisted and is_store_currency
    group by workspace, ordered_local_date
)

select
    chosen_dates.local_date,
    coalesce(sum(sales_daily.sales), 0) as sales,
    coalesce(sum(sales_daily.net_sales), 0) as net_sales,
    coalesce(sum(assisted.assisted_sales), 0) as assisted_sales,
    coalesce(sum(sales_daily.orders), 0) as orders
from (@chosen_dates) as chosen_dates
left join marts.mart_sales_daily as sales_daily
    on chosen_dates.workspace = sales_daily.workspace and chosen_dates.local_date = sales_daily.local_date
left join assisted
    on chosen_dates.workspace = assisted.workspace and chosen_dates.local_date = assisted.local_date
-- at midnight itself the new day is still empty
where chosen_dates.starts_at < chosen_dates.until_at
group by chosen_dates.local_date
order by chosen_dates.local_date
