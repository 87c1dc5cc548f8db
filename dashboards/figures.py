"""`salwa figures`: the headline figures for any range, by the same SQL as the dashboard's cards."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from ingestion.errors import SalwaError

SQL = Path(__file__).parent / "sql"


def figures(
    connection: duckdb.DuckDBPyConnection,
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
    require_known(connection, chosen, "channel", channel, "select channel, channel_name from facts.dim_channels")
    require_known(connection, chosen, "tag", tag, "select distinct tag, tag from facts.fct_tags")
    require_known(connection, chosen, "agent", agent, "select agent_id, agent_name from facts.dim_agents")
    if channel is not None:
        channel = channel_id(connection, chosen, channel)
    cursor = connection.execute(
        (SQL / "figures.sql").read_text(encoding="utf-8"),
        {
            "workspace": chosen,
            "from_date": from_date.isoformat(),
            "to_date": to_date.isoformat(),
            "channel": channel,
            "tag": tag,
            "agent": agent,
        },
    )
    names = [column[0] for column in cursor.description or ()]
    row = cursor.fetchone()
    assert row is not None  # noqa: S101 - an aggregate without grouping always gives a row
    return dict(zip(names, row, strict=True))


def chosen_workspace(connection: duckdb.DuckDBPyConnection, workspace: str | None) -> str:
    names = [name for (name,) in connection.execute("select workspace from facts.dim_workspaces order by 1").fetchall()]
    if workspace is None and len(names) == 1:
        return names[0]
    if workspace is None:
        raise SalwaError(f"there are several workspaces: choose with --workspace {' | '.join(names)}")
    if workspace not in names:
        raise SalwaError(f"no workspace {workspace!r}; there is {', '.join(names) or 'none'}")
    return workspace


def require_known(
    connection: duckdb.DuckDBPyConnection, workspace: str, what: str, wanted: str | None, query: str
) -> None:
    if wanted is None:
        return
    known = connection.execute(f"{query} where workspace = ?", [workspace]).fetchall()
    if not any(wanted in row for row in known):
        names = sorted({row[1] for row in known if row[1]})
        raise SalwaError(f"no {what} {wanted!r}; there is {', '.join(names[:20]) or 'none'}")


def channel_id(connection: duckdb.DuckDBPyConnection, workspace: str, channel: str) -> str:
    found = connection.execute(
        "select channel from facts.dim_channels where workspace = $w and (channel = $c or channel_name = $c)",
        {"w": workspace, "c": channel},
    ).fetchone()
    assert found is not None  # noqa: S101 - require_known has seen it
    return str(found[0])
