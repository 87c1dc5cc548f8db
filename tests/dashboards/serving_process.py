"""Processes of the serving tests: one that reads again and again until it is told to stop, one that dies while publishing.

reader: reader DATA URL STOP_FILE STYLE → one JSON line: {"queries", "batches", "errors"}
publisher: publisher DATA URL POINT → killed at the point
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dashboards import serving
from dashboards.serving import duckdb_copy
from ingestion.settings import Settings

REST_SECONDS = 0.3  # between two queries, so that eight readers leave two cores something to publish with

# every table and the version tell the batch, so that a query that met two versions shows it
READ = """
select
    (select min(batch) from facts.fct_messages),
    (select max(batch) from facts.fct_messages),
    (select count(*) from facts.fct_messages),
    (select max(batch) from marts.mart_daily_metrics),
    (select cast(extract(epoch from as_of) as bigint) / 60 from marts.serving_version)
"""
MANIFEST: dict[str, Any] = {
    "nodes": {
        "test.key": {
            "resource_type": "test",
            "attached_node": "model.messages",
            "test_metadata": {"name": "unique", "kwargs": {"column_name": "message_id"}},
        },
        "model.messages": {
            "resource_type": "model",
            "unique_id": "model.messages",
            "schema": "facts",
            "alias": "fct_messages",
            "description": "Messages, told by the customer's phone",
            "columns": {"batch": {"description": "100 % of the load"}},
        },
    }
}


def settings_of(data: str, url: str) -> Settings:
    return Settings(data=Path(data), serving_url=url or None)  # type: ignore[arg-type]


def read_on(data: str, url: str, stop_file: str, style: str) -> None:
    found: dict[str, Any] = {"queries": 0, "batches": set(), "errors": []}
    os.nice(10)
    ask = asking(settings_of(data, url), style)
    while not Path(stop_file).exists():
        try:
            lowest, highest, rows, in_mart, in_version = (int(value or -1) for value in ask())
        except Exception as error:
            found["errors"].append(f"{type(error).__name__}: {error}")
            break
        found["queries"] += 1
        found["batches"].add(highest)
        if len({lowest, highest, in_mart, in_version}) != 1 or rows != 50:
            found["errors"].append(f"torn: {lowest} {highest} {in_mart} {in_version}, {rows} rows")
        time.sleep(REST_SECONDS)
    print(json.dumps({**found, "batches": sorted(found["batches"])}))


def asking(settings: Settings, style: str) -> Callable[[], tuple]:
    """How a reader asks: by a connection for each query, by one for all, or by one whose queries are prepared."""
    if style == "new":

        def ask() -> tuple:
            with serving.open_serving(settings) as connection:
                return serving.query(connection, READ).rows[0]

        return ask
    import psycopg

    kept = psycopg.connect(settings.serving_database() or "", autocommit=True, prepare_threshold=0 if style == "prepared" else None)
    return lambda: kept.execute(READ).fetchone() or ()


def die_at(data: str, url: str, point: str) -> None:
    """Publish, and be killed as soon as the named function has been called (or, before:NAME, is about to be)."""
    when, name = point.split(":")
    modules: list[Any] = [duckdb_copy]
    if url:
        from dashboards.serving import postgres, postgres_versions

        modules = [module for module in (postgres, postgres_versions) if hasattr(module, name)]
    real = getattr(modules[0], name)

    def deadly(*arguments: Any) -> Any:
        if when == "after":
            real(*arguments)
        os.kill(os.getpid(), signal.SIGKILL)

    for module in modules:
        setattr(module, name, deadly)
    serving.publish(settings_of(data, url), MANIFEST)


if __name__ == "__main__":
    Settings.model_config["env_file"] = None
    {"reader": read_on, "publisher": die_at}[sys.argv[1]](*sys.argv[2:])
