"""What is measured of one size of history, in the order it happens."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.limit import differences
from benchmarks.measure import Failed, Run, in_turn, run_process, run_task, salwa, told_at_once
from ingestion.duckdb_files import attach

SMOKE_BELOW = 10_000  # messages: there the start-up is all there is
PARTS = ("full", "idiomatic", "incremental", "rebuilt", "cards", "button", "receiver")


@dataclass
class Found:
    """All runs by what was run; sizes and counts by name."""

    messages: int
    runs: dict[str, list[Run]] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


Say = Callable[[str], None]


def measure_history(work: Path, messages: int, times: int, parts: set[str], say: Say) -> Found:
    """Land a history once, outside the clock, and measure what is done with it.

    Raises:
        Failed: a run failed, or the limit or a full rebuild has other numbers than salwa.
    """
    found = Found(messages)
    base = work / f"history-{messages}"
    say(f"making {messages:,} messages")
    made = made_history(base, messages)
    found.facts["deliveries"] = made.told["lines"]
    found.facts["landing_bytes"] = sum(path.stat().st_size for path in (base / "landing").rglob("*.gz"))
    found.runs["making"] = [made]
    as_of = datetime.fromisoformat(made.told["as_of"])

    say("full: salwa and the limit in turn")
    empty = work / "empty"
    tasks = {
        "full": lambda: run_task("stages", base, as_of, full=True),
        "limit": lambda: run_task("limit", base, as_of),
        "start": lambda: run_task("stages", empty, as_of, full=True),
    }
    if messages < SMOKE_BELOW:
        del tasks["start"]
    found.runs |= in_turn(tasks, times, say)
    compared, differing = differences(base / "limit.duckdb", base / "warehouse.duckdb")
    if differing:
        raise Failed(f"the limit has other numbers than salwa: {differing}")
    found.facts["columns_equal_to_limit"] = compared
    found.facts["warehouse_bytes"] = (base / "warehouse.duckdb").stat().st_size
    found.facts["restricted_bytes"] = (base / "restricted.duckdb").stat().st_size

    if "idiomatic" in parts:
        say("full: the idiomatic pipeline, once")
        found.runs["idiomatic"] = in_turn({"idiomatic": lambda: run_task("idiomatic", base, as_of)}, 1, say)["idiomatic"]
        shutil.rmtree(base / "idiomatic")
    if "cards" in parts:
        say("cards of a month")
        found.facts["cards"] = run_task("cards", base, as_of).told["cards"]
    if "incremental" in parts:
        hour_ends = measure_hour(work, base, messages, times, found, say)
        if "rebuilt" in parts:
            compare_with_rebuilt(work, messages, hour_ends, found, say)
    return found


def made_history(base: Path, messages: int) -> Run:
    """The history's landing files: made, or those that a run with the same --work has made, which are the same."""
    note = base / "made.json"
    if note.exists():
        return Run(**json.loads(note.read_text(encoding="utf-8")))
    made = run_process([sys.executable, "-m", "benchmarks.webhooks", "--data", str(base), "--messages", str(messages)], base)
    note.write_text(json.dumps(asdict(made)), encoding="utf-8")
    return made


def measure_hour(work: Path, base: Path, messages: int, times: int, found: Found, say: Say) -> datetime:
    """An hour's deliveries over a history that is built, then nothing new; when the hour ends."""
    runs: dict[str, list[Run]] = {"hour": [], "nothing": [], "publish": [], "copy": []}
    later = work / f"later-{messages}"
    for _ in range(times):
        say("incremental: an hour's worth, then nothing new")
        shutil.rmtree(later, ignore_errors=True)
        copy_data(base, later)
        hour = run_process(
            [sys.executable, "-m", "benchmarks.webhooks", "--data", str(later), "--messages", str(messages), "--hour"], later
        )
        as_of = datetime.fromisoformat(hour.told["as_of"])
        found.facts["hour_deliveries"] = hour.told["lines"]
        for name, task in (("hour", "stages"), ("nothing", "stages"), ("publish", "publishing"), ("copy", "copy")):
            runs[name].append(told_at_once(name, run_task(task, later, as_of), say))
    found.runs |= runs
    return as_of


def compare_with_rebuilt(work: Path, messages: int, as_of: datetime, found: Found, say: Say) -> None:
    """What a full rebuild makes of the landing files of an increment is what the increment left."""
    say("incremental: the same from nothing, compared row by row")
    later, again = work / f"later-{messages}", work / f"again-{messages}"
    shutil.rmtree(again, ignore_errors=True)
    (again / "landing").parent.mkdir(parents=True)
    shutil.copytree(later / "landing", again / "landing", copy_function=os.link)
    found.runs["full_after_hour"] = [run_task("stages", again, as_of, full=True)]
    found.facts["rows_equal_to_full"] = require_equal(later / "warehouse.duckdb", again / "warehouse.duckdb")
    shutil.rmtree(again)


def copy_data(base: Path, target: Path) -> None:
    """A data folder of its own, whose landing files are the same ones."""
    target.mkdir(parents=True)
    shutil.copytree(base / "landing", target / "landing", copy_function=os.link)
    for name in ("restricted.duckdb", "warehouse.duckdb"):
        shutil.copyfile(base / name, target / name)
    for name in ("dlt", "serving", "state"):
        if (base / name).exists():
            shutil.copytree(base / name, target / name, symlinks=True)


def require_equal(one: Path, other: Path) -> int:
    """The number of rows of all facts and marts, which are the same in both warehouses.

    Raises:
        Failed: says which table differs, and by how many rows.
    """
    rows = 0
    with duckdb.connect(":memory:") as connection:
        connection.execute("set TimeZone = 'UTC'")
        attach(connection, one, "one", read_only=True)
        attach(connection, other, "other", read_only=True)
        names = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables() "
            "where database_name = 'one' and schema_name in ('facts', 'marts') order by 1"
        ).fetchall()
        for (name,) in names:
            if connection.execute(f"describe one.{name}").fetchall() != connection.execute(f"describe other.{name}").fetchall():
                raise Failed(f"{name} has other columns after a full rebuild")
            only_one, only_other, count = connection.execute(
                f"""
                select
                    (select count(*) from (select * from one.{name} except all select * from other.{name})),
                    (select count(*) from (select * from other.{name} except all select * from one.{name})),
                    (select count(*) from one.{name})
                """
            ).fetchone() or (0, 0, 0)
            if only_one or only_other:
                raise Failed(f"{name}: {only_one} rows are only in what the increment left, {only_other} only in a full rebuild")
            rows += count
    return rows


def measure_button(work: Path, times: int, say: Say) -> dict[str, list[Run]]:
    """`salwa refresh` of the example with one new delivery, the same job by stock wrappers, and bare imports, in turn."""
    say("the button: one new delivery on the example")
    ours, theirs = work / "button", work / "stock"
    salwa(ours, "example")
    shutil.copytree(ours / "example", theirs / "example", symlinks=True)
    tasks = {
        "button": lambda: with_delivery(ours / "example", lambda data: salwa(data, "refresh")),
        "imports": lambda: run_process(
            [sys.executable, "-c", "import dagster, dlt; from dbt.cli.main import dbtRunner"], work / "imports"
        ),
    }
    if has_stock_wrappers():
        tasks["stock"] = lambda: with_delivery(theirs / "example", lambda data: run_task("stock", data, datetime.now(UTC)))
    else:
        say("  dagster-dbt and dagster-dlt are not installed: see docs/performance.md")
    return in_turn(tasks, times, say)


def has_stock_wrappers() -> bool:
    from importlib.util import find_spec

    return bool(find_spec("dagster_dbt") and find_spec("dagster_dlt"))


def with_delivery(data: Path, then: Callable[[Path], Run]) -> Run:
    """Land one customer's message as the receiver would, then do something."""
    from ingestion.landing import Delivery, LandingWriter

    now = datetime.now(UTC)
    stamp = int(now.timestamp()) - 1
    body = (
        '{"object":"whatsapp_business_account","entry":[{"id":"1029384756","changes":[{"field":"messages","value":{"messaging_product":'
        '"whatsapp","metadata":{"display_phone_number":"966110000001","phone_number_id":"800000000000001"},"contacts":[{"wa_id":'
        f'"966500000000","profile":{{"name":"Customer"}}}}],"messages":[{{"id":"wamid.BENCH{now.timestamp()}","timestamp":"{stamp}",'
        '"type":"text","from":"966500000000","text":{"body":"hello"}}]}}]}]}'
    )
    with LandingWriter(data / "landing", "default", "whatsapp", f"receive-{now.timestamp()}") as writer:
        writer.append(Delivery(body.encode(), received_at=now.isoformat()))
    return then(data)
