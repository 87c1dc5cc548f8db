"""`make bench`: measure salwa against its rivals and say which goals are met.

    python -m benchmarks [--messages 1000000] [--times 3] [--only full incremental …] [--without idiomatic] [--work DIR]

A tenth of the history is measured in the same run. No time makes it fail; a number that differs does.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.goals import GIGABYTE, Goal, goals
from benchmarks.measure import ROOT, Run, median, run_task
from benchmarks.plot import write_growth
from benchmarks.scenario import PARTS, Found, measure_button, measure_history

HISTORY = ROOT / "benchmarks" / "history.ndjson"
PLOT = ROOT / "docs" / "images" / "growth.svg"
MILLION = 1_000_000
out = Console(highlight=False, width=None if sys.stdout.isatty() else 150)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--messages", type=int, default=MILLION, help="100000 is a smoke test, 10000000 the whole proof")
    parser.add_argument("--times", type=int, help="runs of each; 3, and 1 above two million messages")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--without", nargs="+", choices=PARTS, default=())
    parser.add_argument("--alone", action="store_true", help="without the tenth of the history")
    parser.add_argument("--work", type=Path, help="a folder for the data, which is kept; else a temporary one")
    parser.add_argument("--no-history", action="store_true", help="do not add to the history and the plot")
    given = parser.parse_args()
    parts = set(given.only) - set(given.without)
    times = given.times or (3 if given.messages <= 2 * MILLION else 1)
    with tempfile.TemporaryDirectory(prefix="salwa-bench-", dir=os.environ.get("SALWA_BENCH_DIR")) as folder:
        run(given.work or Path(folder), given.messages, times, parts, given.alone, given.no_history)


def run(work: Path, messages: int, times: int, parts: set[str], alone: bool, no_history: bool) -> None:
    work.mkdir(parents=True, exist_ok=True)
    out.print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {times} run(s) of each, in turn")
    small = None
    if not alone and messages >= 10_000:
        small = measure_history(work, messages // 10, times, parts & {"full", "incremental", "rebuilt"}, say)
        remember(small, no_history)
    large = measure_history(work, messages, times, parts, say)
    remember(large, no_history)
    others: dict[str, Any] = {}
    if "button" in parts:
        others["button"] = measure_button(work, times, say)
    if "receiver" in parts:
        say("the receiver")
        others["receiver"] = run_task("receiver", work / "receiver", datetime.now(UTC)).told
    for found in filter(None, (small, large)):
        out.print(runs_table(found))
    if others.get("button"):
        out.print(table_of("The button", others["button"]))
    out.print(stages_table(large))
    out.print(goals_table(goals(large, small, others)))
    if not no_history:
        write_growth(HISTORY, PLOT)


def say(text: str) -> None:
    out.print(f"[dim]{datetime.now(UTC):%H:%M:%S}[/] {text}")


def runs_table(found: Found) -> Table:
    return table_of(
        f"{found.messages:,} messages, {found.facts['deliveries']:,} deliveries; {found.facts['columns_equal_to_limit']} columns equal "
        f"the limit's" + (f", {found.facts['rows_equal_to_full']:,} rows a full rebuild's" if "rows_equal_to_full" in found.facts else ""),
        found.runs,
    )


def table_of(title: str, runs: dict[str, list[Run]]) -> Table:
    table = Table("", "wall s", "from – to", "processor s", "peak GB", title=title, title_justify="left")
    for name, several in runs.items():
        table.add_row(
            name,
            f"{median(several):.2f}",
            f"{min(run.wall for run in several):.2f} – {max(run.wall for run in several):.2f}",
            f"{median(several, lambda run: run.cpu):.2f}",
            f"{max(run.peak for run in several) / GIGABYTE:.2f}",
        )
    return table


def stages_table(found: Found) -> Table:
    kinds = [kind for kind in ("full", "hour", "nothing", "start") if kind in found.runs]
    table = Table("stage, wall s", *kinds, title=f"Where the time goes, {found.messages:,} messages", title_justify="left")
    for stage in found.runs["full"][0].told["stages"]:
        table.add_row(stage, *(f"{median(found.runs[kind], lambda run, stage=stage: run.stage(stage)):.2f}" for kind in kinds))
    for what in ("models", "tests"):
        table.add_row(
            f"  {what}, summed over two threads", *(f"{median(found.runs[kind], lambda run, what=what: run.told[what]):.2f}" for kind in kinds)
        )
    for seconds, name in found.runs["full"][0].told["slowest"][:15]:
        table.add_row(f"  {name}", f"{seconds:.2f}")
    return table


def goals_table(found: list[Goal]) -> Table:
    table = Table("goal", "bound", "measured", "", "", title="Goals", title_justify="left")
    for goal in found:
        bound = "" if goal.bound == float("inf") else f"{'≥' if goal.must_reach else '≤'} {goal.bound:.3g}{goal.unit}"
        value = "" if goal.value is None else f"{goal.value:.3g}{goal.unit}"
        state = "" if goal.bound == float("inf") else goal.state
        colour = {"met": "green", "NOT MET": "red"}.get(state, "dim")
        table.add_row(goal.name, bound, value, f"[{colour}]{state}[/]", goal.told)
    return table


def remember(found: Found, no_history: bool) -> None:
    """Add medians to the history of this machine."""
    if no_history:
        return
    line = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIGABYTE),
        "load": round(os.getloadavg()[0], 1),
        "messages": found.messages,
        "seconds": {name: round(median(runs), 2) for name, runs in found.runs.items()},
        "processor_seconds": {name: round(median(runs, lambda run: run.cpu), 2) for name, runs in found.runs.items()},
        "peak_gb": {name: round(max(run.peak for run in runs) / GIGABYTE, 2) for name, runs in found.runs.items()},
    }
    with HISTORY.open("a", encoding="utf-8") as history:
        history.write(json.dumps(line) + "\n")


def commit() -> str | None:
    """The commit that is measured, where this is a checkout."""
    asked = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False)
    return asked.stdout.strip() or None


if __name__ == "__main__":
    main()
