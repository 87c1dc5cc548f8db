-- The instant the numbers are of: the oldest of the chosen workspaces.
select min(as_of) as as_of
from facts.dim_workspaces
where
    1 = 1
    [[and workspace in (select workspace from facts.dim_dates where {{workspace}})]]
