-- The longest gap between a chat and an order that follows it, per business: of what was chosen, else the business's own.
select
    workspace,
    coalesce(
        max(case when 1 = 0 [[or {{window}}]] then window_seconds end),
        max(case when is_default then window_seconds end)
    ) as window_seconds
from facts.dim_attribution_windows
group by workspace
