-- The lines of each order: the newest telling of them as a whole, never a mixture of two. An order that told no lines
-- has none; an order whose lines were never told has no row here either, and `items_state` of its sightings says which.
with orders as (
    select * from {{ ref('stg_salla__orders') }}
),

lines as (
    select * from {{ ref('stg_salla__order_items') }}
),

products as (
    select * from {{ ref('int_salla__products') }}
),

stores as (
    select * from {{ ref('stg_salla__stores') }}
),

-- an answer about lines is about one order; where its call did not say which, lines known from elsewhere may
known_lines as (
    select workspace, item_id, min(order_id) as order_id
    from lines
    where order_id is not null and item_id is not null
    group by workspace, item_id
    having count(distinct order_id) = 1
),

answer_orders as (
    select
        lines.workspace,
        lines.landing_file,
        lines.landing_line,
        min(known_lines.order_id) as order_id
    from lines
    inner join known_lines
        on
            lines.workspace = known_lines.workspace
            and lines.item_id = known_lines.item_id
    where lines.order_id is null
    group by lines.workspace, lines.landing_file, lines.landing_line
    having count(distinct known_lines.order_id) = 1
),

placed as (
    select
        lines.workspace,
        lines.landing_file,
        lines.landing_line,
        lines.position,
        lines.order_position,
        lines.page,
        lines.shape,
        lines.object_hash,
        lines.item_id,
        lines.product_id,
        lines.product_name,
        lines.sku,
        lines.quantity,
        lines.line_total,
        lines.currency,
        lines.observed_at,
        coalesce(lines.order_id, answer_orders.order_id) as order_id
    from lines
    left join answer_orders
        on
            lines.workspace = answer_orders.workspace
            and lines.landing_file = answer_orders.landing_file
            and lines.landing_line = answer_orders.landing_line
),

tellings as (
    select
        workspace,
        order_id,
        landing_file,
        landing_line,
        position as order_position,
        1 as page,
        -- the list names products without ids and prices: only where nothing else does
        case when items_state = 'told' then 2 else 1 end as worth,
        observed_at
    from orders
    where items_state in ('told', 'named')

    union all

    select
        workspace,
        order_id,
        landing_file,
        landing_line,
        -1 as order_position,
        min(page) as page,
        2 as worth,
        max(observed_at) as observed_at
    from placed
    where shape = 'items' and order_id is not null
    group by workspace, order_id, landing_file, landing_line
),

-- further pages belong to the first page before them
paged as (
    select
        tellings.*,
        coalesce(tellings.observed_at < stores.as_of, true) as is_before,
        sum(case when tellings.page = 1 then 1 else 0 end) over (
            partition by tellings.workspace, tellings.order_id, tellings.worth
            order by
                tellings.observed_at nulls first,
                tellings.page,
                tellings.landing_file,
                tellings.landing_line,
                tellings.order_position
            rows between unbounded preceding and current row
        ) as telling
    from tellings
    inner join stores
        on tellings.workspace = stores.workspace
),

chosen as (
    select
        workspace,
        order_id,
        max(worth) as worth
    from paged
    group by workspace, order_id
),

-- the newest before as_of; where there is none, the first after it
chosen_tellings as (
    select
        paged.workspace,
        paged.order_id,
        paged.worth,
        coalesce(max(case when paged.is_before then paged.telling end), min(paged.telling)) as telling
    from paged
    inner join chosen
        on
            paged.workspace = chosen.workspace
            and paged.order_id = chosen.order_id
            and paged.worth = chosen.worth
    group by paged.workspace, paged.order_id, paged.worth
),

chosen_lines as (
    select
        placed.*,
        row_number() over (
            partition by placed.workspace, placed.order_id, coalesce(placed.item_id, cast(placed.position as string))
            order by
                placed.observed_at desc nulls last,
                placed.object_hash asc,
                placed.landing_file asc,
                placed.landing_line asc,
                placed.position asc
        ) as copy_number
    from placed
    inner join paged
        on
            placed.workspace = paged.workspace
            and placed.order_id = paged.order_id
            and placed.landing_file = paged.landing_file
            and placed.landing_line = paged.landing_line
            and (paged.order_position = placed.order_position or (paged.order_position = -1 and placed.shape = 'items'))
    inner join chosen_tellings
        on
            paged.workspace = chosen_tellings.workspace
            and paged.order_id = chosen_tellings.order_id
            and paged.worth = chosen_tellings.worth
            and paged.telling = chosen_tellings.telling
),

-- answers about lines lack the product's id: another sighting of the line has it, else its sku, else its name
product_of_line as (
    select workspace, order_id, item_id, max(product_id) as product_id
    from placed
    where product_id is not null and item_id is not null
    group by workspace, order_id, item_id
),

product_of_sku as (
    select workspace, sku, min(product_id) as product_id
    from products
    where sku is not null
    group by workspace, sku
    having count(distinct product_id) = 1
),

product_of_name as (
    select workspace, product_name, min(product_id) as product_id
    from products
    where product_name is not null
    group by workspace, product_name
    having count(distinct product_id) = 1
),

named as (
    select
        chosen_lines.workspace,
        chosen_lines.order_id,
        coalesce(chosen_lines.item_id, 'line ' || cast(chosen_lines.position % 10000 as string)) as item_id,
        coalesce(
            chosen_lines.product_id, product_of_line.product_id, product_of_sku.product_id, product_of_name.product_id
        ) as product_id,
        chosen_lines.product_name,
        chosen_lines.sku,
        chosen_lines.quantity,
        chosen_lines.line_total,
        chosen_lines.currency,
        chosen_lines.observed_at
    from chosen_lines
    left join product_of_line
        on
            chosen_lines.workspace = product_of_line.workspace
            and chosen_lines.order_id = product_of_line.order_id
            and chosen_lines.item_id = product_of_line.item_id
    left join product_of_sku
        on
            chosen_lines.workspace = product_of_sku.workspace
            and chosen_lines.sku = product_of_sku.sku
    left join product_of_name
        on
            chosen_lines.workspace = product_of_name.workspace
            and chosen_lines.product_name = product_of_name.product_name
    where chosen_lines.copy_number = 1
)

select
    workspace,
    order_id,
    item_id,
    product_id,
    -- what is sold without a known id is still one product
    coalesce(product_id, 'sku|' || sku, 'name|' || product_name) as product_key,
    product_name,
    sku,
    quantity,
    line_total,
    currency,
    observed_at
from named
