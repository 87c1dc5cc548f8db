-- Every product that is listed or was sold; one that only a line of an order named stands by its sku or name.
with products as (
    select * from {{ ref('int_salla__products') }}
),

items as (
    select * from {{ ref('int_salla__order_items') }}
),

unlisted as (
    select
        items.workspace,
        items.product_key,
        max_by(items.product_name, items.observed_at) filter (where items.product_name is not null) as product_name,
        max_by(items.sku, items.observed_at) filter (where items.sku is not null) as sku
    from items
    left join products
        on
            items.workspace = products.workspace
            and items.product_key = products.product_id
    where items.product_key is not null and products.product_id is null
    group by items.workspace, items.product_key
),

together as (
    select
        workspace,
        product_id as product_key,
        product_name,
        sku,
        product_type,
        status,
        category,
        brand,
        price,
        currency
    from products

    union all

    select
        workspace,
        product_key,
        product_name,
        sku,
        null as product_type,
        null as status,
        null as category,
        null as brand,
        null as price,
        null as currency
    from unlisted
)

select
    {{ keyed_hash(["'product'", 'workspace', 'product_key']) }} as product_id,
    workspace,
    product_name,
    sku,
    product_type,
    status,
    category,
    brand,
    price,
    currency
from together
