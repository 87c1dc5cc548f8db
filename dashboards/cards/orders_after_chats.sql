-- Counted orders made in the range, and whether each followed a chat within the window.
select
    orders.*,
    coalesce(orders.attribution_gap_seconds <= windows.window_seconds, false) as is_assisted
from (@chosen_orders) as orders
inner join (@attribution_windows) as windows
    on orders.workspace = windows.workspace
