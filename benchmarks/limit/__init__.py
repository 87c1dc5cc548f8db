"""What the machine can do: one hand-written DuckDB script from the same landing files straight to the same marts.

No dlt, no dbt, no tests, no facts, nothing kept between runs. It knows what salwa must not assume: that there is only
WhatsApp and only one workspace, that the zone has no summer time, that nobody has a calendar of working hours, that no
number was passed on between strangers. Its marts must equal salwa's, or the benchmark fails.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from ingestion.duckdb_files import attach

FOLDER = Path(__file__).parent
STEPS = ("read", "people", "conversations", "marts")
KEYS = {
    "mart_daily_metrics": ("local_date", "workspace", "channel"),
    "mart_hourly_metrics": ("local_hour", "workspace", "channel"),
    "mart_agent_daily": ("local_date", "agent_id", "workspace", "channel"),
    "mart_campaign_daily": ("local_date", "local_hour", "campaign", "workspace", "channel"),
    "mart_summary_metrics": ("period", "workspace", "channel"),
}


def build_marts(landing: Path, target: Path, as_of: datetime, key: str) -> None:
    """Write the marts into a new DuckDB file.

    Args:
        key: the key of salwa's hashes, for agents' ids.
    """
    with duckdb.connect(str(target)) as connection:
        connection.execute("set TimeZone = 'UTC'; set preserve_insertion_order = false; set enable_progress_bar = false")
        connection.execute(f"set temp_directory = '{target.parent / 'limit.tmp'}'")
        connection.execute("set variable as_of = $1::timestamptz", [as_of])
        connection.execute("set variable key = $1", [key])
        for step in STEPS:
            statements = (FOLDER / f"{step}.sql").read_text(encoding="utf-8")
            if step == "read":
                statements = statements.format(files=f"'{landing}/*/whatsapp/*/*.ndjson.gz'")
            connection.execute(statements)


@dataclass(frozen=True)
class Difference:
    """A column of a mart in which the two differ."""

    mart: str
    column: str
    rows: int


def differences(limit_file: Path, warehouse: Path) -> tuple[int, list[Difference]]:
    """(number of columns compared, where they differ). A row that only one of them has differs in its keys.

    Columns that the script does not fill are not compared: shares of working hours, and orders after a campaign.
    """
    compared = 0
    found: list[Difference] = []
    with duckdb.connect(":memory:") as connection:
        connection.execute("set TimeZone = 'UTC'")
        attach(connection, limit_file, "fast", read_only=True)
        attach(connection, warehouse, "salwa", read_only=True)
        for mart, keys in KEYS.items():
            names = [row[0] for row in connection.execute(f"describe fast.{mart}").fetchall()]
            theirs = {row[0] for row in connection.execute(f"describe salwa.marts.{mart}").fetchall()}
            match = " and ".join(f"f.{key} is not distinct from s.{key}" for key in keys)
            checks = {
                name: f"count(*) filter (f.{keys[0]} is null or s.{keys[0]} is null or {shown(mart, name)} is distinct from s.{name})"
                for name in names
                if name in theirs
            }
            compared += len(checks)
            row = connection.execute(
                f"select {', '.join(checks.values())} from fast.{mart} as f full join salwa.marts.{mart} as s on {match}"
            ).fetchone()
            assert row is not None
            found += [Difference(mart, name, count) for name, count in zip(checks, row, strict=True) if count]
    return compared, found


def shown(mart: str, name: str) -> str:
    """The script's value as salwa shows it: nothing of a period before that its source did not cover."""
    if mart == "mart_summary_metrics" and name.startswith("previous_") and not name.endswith("_date"):
        return f"case when f.previous_is_covered then f.{name} end"
    return f"f.{name}"
