"""Runs of a task, each in a process of its own: seconds on the wall, seconds of the processor, peak memory."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.tasks import KEY

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Run:
    """One run of one process, with its children.

    wall, cpu: seconds. peak: bytes of the largest process. told: what the task printed.
    """

    wall: float
    cpu: float
    peak: int
    told: dict[str, Any] = field(default_factory=dict)

    def stage(self, name: str) -> float:
        return float(self.told["stages"][name])


class Failed(RuntimeError):
    """A measured process ended with an error: nothing it took is of use."""


def run_process(command: Sequence[str], data: Path) -> Run:
    """Run a command with the benchmark's settings and wait for it.

    Raises:
        Failed: it ended with an error.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SALWA_")} | {
        "SALWA_DATA": str(data),
        "SALWA_PHONE_KEY": KEY,
        "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", "")))),
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath))),
        "DAGSTER_DISABLE_TELEMETRY": "1",
    }
    data.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        began = time.perf_counter()
        process = subprocess.Popen(list(command), stdout=out, stderr=err, cwd=data, env=environment)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        printed = out.read()
        if process.returncode:
            raise Failed(f"{' '.join(command)} ended with {process.returncode}:\n{printed[-3000:]}\n{err.read()[-5000:]}")
    return Run(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, told_last(printed))


def told_last(printed: str) -> dict[str, Any]:
    """The last line of JSON among what a process printed; empty where there is none."""
    found = [line for line in printed.splitlines() if line.startswith("{") and line.endswith("}")]
    return json.loads(found[-1]) if found else {}


def run_task(name: str, data: Path, as_of: datetime, full: bool = False) -> Run:
    """Run one of benchmarks.tasks."""
    flags = ["--full"] if full else []
    return run_process(
        [sys.executable, "-m", "benchmarks.tasks", name, "--data", str(data), "--as-of", as_of.isoformat(), *flags], data
    )


def salwa(data: Path, *arguments: str) -> Run:
    """Run the salwa command."""
    return run_process([sys.executable, "-m", "orchestration.cli", *arguments], data)


def in_turn(tasks: Mapping[str, Callable[[], Run]], times: int, say: Callable[[str], None]) -> dict[str, list[Run]]:
    """Every task several times, one after the other, so that a slow minute of the machine hits all of them."""
    runs: dict[str, list[Run]] = {name: [] for name in tasks}
    for _ in range(times):
        for name, task in tasks.items():
            runs[name].append(told_at_once(name, task(), say))
    return runs


def told_at_once(name: str, run: Run, say: Callable[[str], None]) -> Run:
    """The run, after a line about it: a benchmark that is stopped has told what it found so far."""
    say(f"  {name}: {run.wall:.2f} s, processor {run.cpu:.2f} s, {run.peak / (1 << 30):.2f} GB")
    return run


def median(runs: Sequence[Run], of: Callable[[Run], float] = lambda run: run.wall) -> float:
    return statistics.median(of(run) for run in runs)
