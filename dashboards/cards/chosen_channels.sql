-- The channels that the filter means.
select *
from facts.dim_channels
where {{channel}}
