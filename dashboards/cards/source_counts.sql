-- What the sources count themselves beside what we have, of the last 30 days; what differs comes first.
select
    source,
    counted,
    account,
    from_at,
    to_at,
    told_at,
    own_count,
    our_count,
    difference,
    case when is_in_agreement then 'equal' else 'different' end as agreement
from marts.mart_source_reconciliation
where
    is_recent
    [[and workspace in (select workspace from facts.dim_dates where {{workspace}})]]
order by is_in_agreement, source, counted, to_at desc, account
