"""`salwa status`: freshness per source, the last runs, rejects."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from dashboards.serving import NothingPublished, open_serving, query
from ingestion.settings import Settings
from orchestration import console
from orchestration.stages import last_runs


def status_of(settings: Settings) -> dict[str, Any]:
    """{"data", "as_of", "sources": [mart_data_health rows], "runs": newest first}."""
    try:
        with open_serving(settings) as connection:
            health = query(connection, "select * from marts.mart_data_health order by workspace, source").as_dicts()
    except NothingPublished:
        health = []
    return {"data": str(settings.data), "sources": health, "runs": last_runs(settings)}


def show_status(found: dict[str, Any]) -> None:
    """Tables for a person."""
    if not found["sources"]:
        console.out.print(f"Nothing has been published in {found['data']} yet: import something, then `salwa refresh`.")
    else:
        console.out.print(sources_table(found["sources"]))
        console.out.print()
    if found["runs"]:
        console.out.print(runs_table(found["runs"]))


def sources_table(rows: list[dict[str, Any]]) -> Table:
    table = Table(title="Sources", title_justify="left", box=None, padding=(0, 1))
    table.add_column("source", no_wrap=True)
    for name in ("last event (UTC)", "lag", "landed", "rejected", "repeated"):
        table.add_column(name, justify="right", no_wrap=True)
    several = len({row["workspace"] for row in rows}) > 1
    for row in rows:
        rejected = row["rejected_lines"] + row["rejected_items"]
        table.add_row(
            f"{row['workspace']} · {row['source']}" if several else row["source"],
            f"{row['last_event_at']:%Y-%m-%d %H:%M}" if row["last_event_at"] else "–",
            console.duration_text(row["lag_seconds"]),
            f"{row['landed_lines']:,}",
            f"[yellow]{rejected:,}[/]" if rejected else "0",
            f"{row['duplicate_lines']:,}",
        )
    return table


def runs_table(runs: list[dict[str, Any]]) -> Table:
    table = Table(title="Last runs", title_justify="left", box=None, padding=(0, 1))
    for name in ("ended (UTC)", "job", "outcome"):
        table.add_column(name, no_wrap=True)
    table.add_column("", overflow="fold")
    for run in runs:
        good = run["outcome"] == "published"
        table.add_row(
            run["ended_at"][:16].replace("T", " "),
            run.get("job", ""),
            f"[green]{run['outcome']}[/]" if good else f"[red]{run['outcome']}[/]",
            run.get("message", "") or run.get("version", ""),
        )
    return table
