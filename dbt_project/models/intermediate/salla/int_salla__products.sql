-- One row per product: of each attribute what was observed last.
with sightings as (
    select * from {{ ref('stg_salla__products') }}
),

ranked as (
    select
        *,
        row_number() over (
            partition by workspace, product_id
            -- the product's own page says more than a line of an order does
            order by
                observed_at nulls first,
                case when seen_in = 'item' then 1 else 2 end,
                object_hash,
                landing_file,
                landing_line,
                position
        ) as freshness
    from sightings
)

select
    workspace,
    product_id,
    max_by(product_name, freshness) filter (where product_name is not null) as product_name,
    max_by(sku, freshness) filter (where sku is not null) as sku,
    max_by(product_type, freshness) filter (where product_type is not null) as product_type,
    max_by(status, freshness) filter (where status is not null) as status,
    max_by(category, freshness) filter (where category is not null) as category,
    max_by(brand, freshness) filter (where brand is not null) as brand,
    max_by(price, freshness) filter (where price is not null) as price,
    max_by(currency, freshness) filter (where price is not null and currency is not null) as currency
from ranked
where product_id is not null
group by workspace, product_id
