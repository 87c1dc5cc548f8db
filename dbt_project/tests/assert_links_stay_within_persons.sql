-- What a link joins is one person, however long the chain.
select links.node
from {{ ref('int_identity__links') }} as links
inner join {{ ref('int_identity__persons') }} as persons
    on links.workspace = persons.workspace and links.node = persons.node
inner join {{ ref('int_identity__persons') }} as others
    on links.workspace = others.workspace and links.other_node = others.node
where persons.person_key <> others.person_key
