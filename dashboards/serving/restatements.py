"""The log of restatements: days that were over when they were published and have other figures now.

A late message, a status that came afterwards or an order that was found changes the past, rightly; whoever wrote down
the old number should be able to see that and when. The log is part of what is served, and each version goes on with the
one before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import TypeAlias

from dashboards.serving.notes import Columns, Note
from dashboards.serving.reading import Connection, query

NAME = "restatements"
DESCRIPTION = "Days that were over when they were published and have other figures since."
FIGURES = ("total_conversations", "messages", "answered_turns")
KEPT = 500
COLUMNS: Columns = {
    "noticed_at": ("timestamptz", "As of which instant the figure was another one first."),
    "workspace": ("text", "The business this belongs to."),
    "channel": ("text", "Business number or inbox."),
    "local_date": ("date", "The day that changed."),
    "figure": ("text", "Which figure of mart_daily_metrics."),
    "before_value": ("bigint", "What readers saw."),
    "after_value": ("bigint", "What they see now."),
}
Row: TypeAlias = tuple[datetime, str, str, date, str, int, int]
Days: TypeAlias = dict[tuple[str, str, date], tuple[int, ...]]


def next_log(served: Connection | None, built: Connection) -> Note:
    """The log that goes with what was built, the newest first.

    Args:
        served: what readers see until now; None where there is nothing yet.
        built: the warehouse that is about to be published.
    """
    if served is None or not (has_figures(served) and has_figures(built)):
        return Note(NAME, DESCRIPTION, COLUMNS, [])
    noticed_at = query(built, "select max(as_of) from facts.dim_workspaces").rows[0][0]
    new = list(restated(finished_days(served), all_days(built), noticed_at))
    return Note(NAME, DESCRIPTION, COLUMNS, [*new, *log_of(served)][:KEPT])


def log_of(served: Connection) -> list[Row]:
    """The log as it is served; none of a copy older than this table."""
    if not has_table(served, NAME):
        return []
    order = "noticed_at desc, local_date desc, workspace, channel, figure"
    return [tuple(row) for row in query(served, f"select * from marts.restatements order by {order}").rows]  # type: ignore[misc]


def has_table(connection: Connection, name: str) -> bool:
    tables = query(connection, "select table_name from information_schema.tables where table_schema = 'marts'").rows
    return (name,) in tables


def has_figures(connection: Connection) -> bool:
    """Whether its days can be compared; those of another version of the models perhaps cannot."""
    columns = query(
        connection,
        "select column_name from information_schema.columns "
        "where table_schema = 'marts' and table_name = 'mart_daily_metrics'",
    ).rows
    return {(figure,) for figure in FIGURES} <= set(columns)


def finished_days(served: Connection) -> Days:
    """The figures of days that were over when they were published."""
    return days_of(
        served,
        "inner join facts.dim_workspaces as workspaces on daily.workspace = workspaces.workspace "
        "where daily.local_date < cast(workspaces.as_of_local as date)",
    )


def all_days(built: Connection) -> Days:
    return days_of(built, "")


def days_of(connection: Connection, condition: str) -> Days:
    figures = ", ".join(f"daily.{figure}" for figure in FIGURES)
    sql = f"select daily.workspace, daily.channel, daily.local_date, {figures} from marts.mart_daily_metrics as daily {condition}"
    return {row[:3]: row[3:] for row in query(connection, sql).rows}  # type: ignore[misc]


def restated(before: Days, after: Days, noticed_at: datetime) -> Iterator[Row]:
    """What changed of days that were over. A channel that was not there at all is new, not restated."""
    until: dict[tuple[str, str], date] = {}
    for workspace, channel, day in before:
        until[workspace, channel] = max(day, until.get((workspace, channel), day))
    for workspace, channel, day in sorted(
        before.keys() | after.keys(), key=lambda key: (key[2], *key[:2]), reverse=True
    ):
        if day > until.get((workspace, channel), date.min):
            continue
        was, now = (days.get((workspace, channel, day), (0,) * len(FIGURES)) for days in (before, after))
        for figure, before_value, after_value in zip(FIGURES, was, now, strict=True):
            if before_value != after_value:
                yield noticed_at, workspace, channel, day, figure, before_value, after_value
