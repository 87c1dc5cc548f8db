"""`salwa rejects`: what could not be read, where it stands, and why."""

from __future__ import annotations

from typing import Any

import duckdb
from rich.markup import escape
from rich.table import Table

from ingestion.errors import SalwaError
from ingestion.settings import Settings
from orchestration import console

SHOWN = 200


def rejects(settings: Settings) -> list[dict[str, Any]]:
    """The rejects of all sources, the newest landing file first: source, file, line, item, reason.

    Raises:
        SalwaError: nothing was built yet, or a run writes at the moment.
    """
    if not settings.restricted.exists():
        raise SalwaError(f"nothing has been loaded in {settings.data.resolve()} yet: run `salwa refresh` first")
    try:
        with duckdb.connect(str(settings.restricted), read_only=True) as connection:
            cursor = connection.execute(
                "select source, landing_file, landing_line, item_path, reason from intermediate.int_rejects "
                "order by landing_file desc, landing_line, item_path"
            )
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    except duckdb.IOException:
        raise SalwaError("a run is writing at the moment: try again when it has ended (`salwa status`)") from None
    except duckdb.CatalogException:
        raise SalwaError("nothing has been built yet: run `salwa refresh` first") from None


def show_rejects(found: list[dict[str, Any]]) -> None:
    if not found:
        console.out.print("[green]Nothing was rejected.[/]")
        return
    table = Table(title=f"{len(found):,} rejected", title_justify="left", box=None, padding=(0, 1))
    for name in ("source", "file : line", "why"):
        table.add_column(name, overflow="fold")
    for row in found[:SHOWN]:
        item = f" {row['item_path']}" if row["item_path"] else ""
        table.add_row(row["source"], escape(f"{row['landing_file']} : {row['landing_line']}{item}"), escape(row["reason"]))
    console.out.print(table)
    if len(found) > SHOWN:
        console.out.print(f"… and {len(found) - SHOWN:,} more: --json shows all")
