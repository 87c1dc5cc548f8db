-- What Salla itself counts in its lists, each list and window of days as last told.
with source as (
    select * from {{ source('salla', 'list_totals') }}
),

named as (
    select
        workspace,
        case kind
            when 'GET /orders' then 'orders'
            when 'GET /orders/invoices' then 'invoices'
            when 'GET /carts/abandoned' then 'carts'
            when 'GET /customers' then 'customers'
            when 'GET /products' then 'products'
            when 'GET /transactions' then 'transactions'
        end as list_name,
        cast(from_date as date) as from_date,
        cast(to_date as date) as to_date,
        cast(total as bigint) as total,
        received_at as told_at,
        landing_file,
        landing_line
    from source
),

ranked as (
    select
        *,
        row_number() over (
            partition by workspace, list_name, from_date, to_date
            order by told_at desc nulls last, total desc, landing_file desc, landing_line desc
        ) as newest
    from named
    where list_name is not null
)

select
    workspace,
    list_name,
    from_date,
    to_date,
    total,
    told_at,
    landing_file,
    landing_line
from ranked
where newest = 1
