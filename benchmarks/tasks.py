"""What is measured, each in a process of its own: `python -m benchmarks.tasks NAME --data … --as-of …`.

The last line that a task prints is JSON: seconds by stage, and whatever else it has to tell.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

KEY = "a-key-for-benchmarks-0123456789abcdef"


class Stopwatch:
    """Seconds by stage, in order."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._since = time.perf_counter()

    def stage(self, name: str) -> None:
        """The stage of that name has ended."""
        now = time.perf_counter()
        self.seconds[name] = self.seconds.get(name, 0) + now - self._since
        self._since = now


def settings_of(data: Path) -> Any:
    from ingestion.settings import Settings

    return Settings(data=data, _env_file=None)  # type: ignore[call-arg]


def stages(data: Path, as_of: datetime, full: bool) -> dict[str, Any]:
    """salwa's stages one after the other, without Dagster."""
    watch = Stopwatch()
    settings = settings_of(data)
    from dashboards.serving import publish
    from ingestion.loading import load, sources
    from orchestration import stages as stages_of_a_run
    from orchestration.compiling import manifest
    from orchestration.transform import build

    watch.stage("imports")
    settings.data.mkdir(parents=True, exist_ok=True)
    stages_of_a_run.prepare(settings, as_of, full)
    watch.stage("prepare")
    rows = {}
    for source in sources():
        loaded = load(settings, source)
        rows |= {f"{source.name}.{table}": count for table, count in loaded.rows.items()}
        watch.stage(f"load {source.name}")
    manifest()
    watch.stage("manifest")
    result = build(settings)
    if not result.is_good:
        raise SystemExit(f"the build failed: {[(node.name, node.message) for node in result.failed]}")
    watch.stage("build")
    publish(settings, None if settings.serving_database() is None else manifest())
    watch.stage("publish")
    nodes = [(node.resource_type, node.name, node.seconds) for node in result.nodes]
    return {
        "stages": watch.seconds,
        "rows": rows,
        "models": sum(seconds for kind, _name, seconds in nodes if kind == "model"),
        "tests": sum(seconds for kind, _name, seconds in nodes if kind == "test"),
        "slowest": sorted(((seconds, name) for _kind, name, seconds in nodes), reverse=True)[:25],
    }


def limit(data: Path, as_of: datetime, full: bool) -> dict[str, Any]:
    watch = Stopwatch()
    from benchmarks.limit import build_marts

    watch.stage("imports")
    target = data / "limit.duckdb"
    target.unlink(missing_ok=True)
    build_marts(data / "landing", target, as_of, KEY)
    watch.stage("script")
    return {"stages": watch.seconds}


def idiomatic(data: Path, as_of: datetime, full: bool) -> dict[str, Any]:
    watch = Stopwatch()
    from benchmarks import idiomatic as rival

    folder = data / "idiomatic"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    rival.load(data / "landing", folder)
    watch.stage("load")
    rival.transform(folder)
    watch.stage("build")
    return {"stages": watch.seconds}


def copy(data: Path, as_of: datetime, full: bool) -> dict[str, Any]:
    """The warehouse copied and put on disk: what publishing cannot be faster than."""
    watch = Stopwatch()
    target = data / "bare-copy.duckdb"
    shutil.copyfile(data / "warehouse.duckdb", target)
    with target.open("rb") as copied:
        os.fsync(copied.fileno())
    watch.stage("copy")
    target.unlink()
    return {"stages": watch.seconds}


def publishing(data: Path, as_of: datetime, full: bool) -> dict[str, Any]:
    """Publishing alone, of what was built."""
    settings = settings_of(data)
    from dashboards.serving import publish

    watch = Stopwatch()
    publish(settings)
    watch.stage("publish")
    return {"stages": watch.seconds}


def stock(data: Path, as_of: datetime, full: bool) -> dict[str, Any]:
    """The same job by dagster-dbt and dagster-dlt."""
    watch = Stopwatch()
    home = data / "stock-dagster"
    home.mkdir(exist_ok=True)
    os.environ["DAGSTER_HOME"] = str(home.resolve())
    import dagster as dg

    from benchmarks.stock.definitions import defs
    from orchestration import stages as stages_of_a_run

    watch.stage("imports")
    stages_of_a_run.prepare(settings_of(data), as_of, full)
    with dg.DagsterInstance.get() as instance:
        for job in ("load", "build"):
            if not defs.resolve_job_def(job).execute_in_process(instance=instance, raise_on_error=False).success:
                raise SystemExit(f"the stock job {job} failed")
            watch.stage(job)
    return {"stages": watch.seconds}




def cards(data: Path, as_of: datetime, full: bool) -> dict[str, Any]:
    """Every card for a month, on both kinds of serving and asked of raw messages."""
    from benchmarks.cards import measure_cards
    from benchmarks.postgres import running_postgres

    with running_postgres() as url:
        return measure_cards(data, url)


def receiver(data: Path, as_of: datetime, full: bool) -> dict[str, Any]:
    """Acknowledged posts a second and their p99, with fsync and without disk writes, in turn."""
    from benchmarks.receiver import measure, percentile

    found: dict[str, dict[str, list[float]]] = {}
    for number in range(3):
        for to_disk in (True, False):
            result = measure(data / str(number), seconds=5, workers=2, connections=64, to_disk=to_disk)
            told = found.setdefault("fsync" if to_disk else "without_disk", {"per_second": [], "p99": []})
            told["per_second"].append(len(result.acknowledged) / result.seconds)
            told["p99"].append(percentile(result.latencies, 0.99))
    return found


TASKS: dict[str, Callable[[Path, datetime, bool], dict[str, Any]]] = {
    "stages": stages,
    "limit": limit,
    "idiomatic": idiomatic,
    "copy": copy,
    "publishing": publishing,
    "stock": stock,
    "cards": cards,
    "receiver": receiver,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("name", choices=TASKS)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--as-of", type=datetime.fromisoformat, required=True)
    parser.add_argument("--full", action="store_true")
    given = parser.parse_args()
    print(json.dumps(TASKS[given.name](given.data, given.as_of, given.full)))


if __name__ == "__main__":
    main()
