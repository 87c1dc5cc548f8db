-- How long after a chat an order may come and still follow it: the windows of the contract, and each business's own.
with workspaces as (
    select * from {{ ref('dim_workspaces') }}
),

contract (window_seconds) as (
    values
    (86400), (259200), (604800), (2419200)
),

windows as (
    select workspaces.workspace, cast(contract.window_seconds as bigint) as window_seconds
    from workspaces
    cross join contract

    union

    select workspace, attribution_window_seconds as window_seconds
    from workspaces
)

select
    windows.workspace,
    windows.window_seconds,
    cast(windows.window_seconds / 86400.0 as decimal(9, 3)) as window_days,
    windows.window_seconds = workspaces.attribution_window_seconds as is_default
from windows
inner join workspaces
    on windows.workspace = workspaces.workspace
