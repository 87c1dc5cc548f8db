"""`salwa figures`: the headline figures for any range, by the same SQL as the dashboard's cards."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from dashboards.parameters import card_sql, filled
from dashboards.serving import Connection, query
from ingestion.errors import SalwaError


def figures(
    connection: Connection,
    from_date: date,
    to_date: date,
    workspace: str | None = None,
    channel: str | None = None,
    tag: str | None = None,
    agent: str | None = None,
) -> dict[str, Any]:
    """The figures of two inclusive local dates, by name; seconds are decimals.

    Args:
        connection: to a serving copy.

    Raises:
        SalwaError: the dates are the wrong way round, or a filter names nothing that exists.
    """
    if from_date > to_date:
        raise SalwaError(f"--from {from_date} is after --to {to_date}")
    chosen = chosen_workspace(connection, workspace)
    filters = {
        "channel": named(
            connection, chosen, "channel", channel, "select channel, channel_name, phone_number from facts.dim_channels"
        ),
        "tag": named(connection, chosen, "tag", tag, "select distinct tag, tag from facts.fct_tags"),
        "agent": named(connection, chosen, "agent", agent, "select agent_id, agent_name from facts.dim_agents"),
    }
    sql, values = filled(card_sql("figures"), {"date": (from_date, to_date), "workspace": [chosen], **filters})
    found = next(row for row in query(connection, sql, values).as_dicts() if row["range_name"] == "chosen")
    return {
        name: value for name, value in found.items() if name not in ("range_name", "is_covered", "is_closed_by_silence")
    }


def coverage(connection: Connection, workspace: str | None) -> tuple[date, datetime] | None:
    """The first date there is anything of, and the local time the numbers are of; None where there is nothing."""
    sql = (
        "select min(dates.local_date), max(workspaces.as_of_local) from facts.dim_dates as dates "
        "inner join facts.dim_workspaces as workspaces on dates.workspace = workspaces.workspace "
        "where dates.workspace = $workspace"
    )
    first, as_of = query(connection, sql, {"workspace": chosen_workspace(connection, workspace)}).rows[0]
    return (first, as_of) if first else None


def chosen_workspace(connection: Connection, workspace: str | None) -> str:
    names = [name for (name,) in query(connection, "select workspace from facts.dim_workspaces order by 1").rows]
    if workspace is None and len(names) == 1:
        return names[0]
    if workspace is None:
        raise SalwaError(f"there are several workspaces: choose with --workspace {' | '.join(names)}")
    if workspace not in names:
        raise SalwaError(f"no workspace {workspace!r}; there is {', '.join(names) or 'none'}")
    return workspace


def named(connection: Connection, workspace: str, what: str, wanted: str | None, known_sql: str) -> list[str]:
    """The name that a filter means, given as id, as name whatever its case, or as a channel's phone number however it is
    spelled; none where nothing is filtered. known_sql gives id, name and perhaps phone number."""
    if wanted is None:
        return []
    known = query(connection, f"{known_sql} where workspace = $workspace", {"workspace": workspace}).rows
    folded, digits = wanted.strip().casefold(), "".join(one for one in wanted if one.isdigit()).removeprefix("00")
    found = [row[1] for row in known if wanted in row[:2]]
    found += [row[1] for row in known if folded in (str(row[0]).casefold(), str(row[1]).casefold())]
    found += [row[1] for row in known if digits and digits == (row[2] if len(row) > 2 else None)]
    if not found:
        names = sorted({row[1] for row in known if row[1]})
        raise SalwaError(f"no {what} {wanted!r}; there is {', '.join(names[:20]) or 'none'}")
    return found[:1]
