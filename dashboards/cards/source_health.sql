-- Per source: whether we have everything, since when not, and what came of what landed.
select
    workspace,
    source,
    case when is_stale or problem is not null or differing_counts > 0 then 'attention' else 'good' end as health,
    success_basis,
    last_event_at,
    last_success_at,
    stale_since,
    lag_seconds,
    landed_lines,
    loaded_lines,
    rejected_lines + rejected_items as rejects,
    duplicate_lines,
    messages_missing_in_inbox,
    compared_counts,
    differing_counts,
    max_difference,
    problem
from marts.mart_data_health
where
    1 = 1
    [[and workspace in (select workspace from facts.dim_dates where {{workspace}})]]
order by workspace, source
