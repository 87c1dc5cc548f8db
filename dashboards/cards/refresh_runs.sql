-- The last runs, the newest first; one that failed published nothing and says why.
select
    ended_at,
    job,
    outcome,
    message
from marts.refresh_runs
order by ended_at desc
limit 20
