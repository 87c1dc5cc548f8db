{{ config(meta={'stage': 'persons', 'touched': {'identity.user_ids': ['workspace', 'user_id']}}) }}

-- The person of a business-scoped id.
with persons as (
    select * from {{ ref('int_identity__persons') }}
)

select
    workspace,
    substr(node, 4) as user_id,
    person_key,
    customer_id
from persons
where node like 'id|%'
