{{ config(meta={'stage': 'persons', 'touched': {'identity.phones': ['workspace', 'phone']}}) }}

-- The person of a phone at an instant: half-open periods that cover all time for every phone seen.
with phone_nodes as (
    select * from {{ ref('int_identity__phone_nodes') }}
),

persons as (
    select * from {{ ref('int_identity__persons') }}
)

select
    phone_nodes.workspace,
    phone_nodes.phone,
    phone_nodes.from_at,
    phone_nodes.to_at,
    persons.person_key,
    persons.customer_id
from phone_nodes
inner join persons
    on phone_nodes.workspace = persons.workspace and phone_nodes.node = persons.node
