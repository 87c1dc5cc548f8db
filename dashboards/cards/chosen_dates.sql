-- The days that the filters mean, per business.
select *
from facts.dim_dates
where {{date}} [[and {{workspace}}]]
