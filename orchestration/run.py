"""Run Dagster's refresh job in this process, with progress in the terminal."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from typing import Any

from rich.progress import Progress, TaskID

from ingestion.errors import SalwaError
from ingestion.settings import Settings
from orchestration import console, stages
from orchestration.dagster_home import dagster_home
from orchestration.transform import Node

JOB = "refresh"


@dataclass
class Refreshed:
    """What a refresh did."""

    version: str | None = None
    rows: int = 0
    files: int = 0
    models: int = 0
    tests: int = 0


def refresh(settings: Settings, full: bool = False, as_of: str = "", pulls: bool = True) -> Refreshed:
    """Run the main job.

    Args:
        pulls: whether the sources' APIs are asked first.

    Raises:
        SalwaError: nothing was published, and why.
    """
    settings.key()
    os.environ["SALWA_DATA"] = str(settings.data)
    dagster_home(settings)
    with console.progress() as display:
        task = display.add_task("Starting", total=None)
        import dagster as dg

        from orchestration.assets import parse_as_of
        from orchestration.definitions import defs
        from orchestration.following import bury_dead_runs, terminal_run
        from orchestration.pulls import PULLED_SOURCES

        parse_as_of(as_of, settings)
        done = Refreshed()
        watcher = terminal_watcher(display, task, done)
        job = defs.resolve_job_def(JOB)
        logging.getLogger("dagster").setLevel(logging.CRITICAL)
        with dg.DagsterInstance.get() as instance, terminal_run(settings) as tags:
            bury_dead_runs(instance, settings)
            result = job.execute_in_process(
                instance=instance,
                raise_on_error=False,
                resources={"watcher": watcher},
                tags=tags,
                run_config={
                    "ops": {
                        "settings": {"config": {"full": full, "as_of": as_of}},
                        **({} if pulls else {f"pulled__{name}": {"config": {"depth": "none"}} for name in PULLED_SOURCES}),
                    },
                    "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
                },
            )
    if not result.success:
        reason = failure_of(result)
        stages.log_run(settings, job=JOB, outcome="failed", run_id=result.run_id, message=reason)
        raise SalwaError(f"nothing was published; readers still see the last good copy. {reason}")
    stages.log_run(settings, job=JOB, outcome="published", run_id=result.run_id, version=done.version)
    return done


def failure_of(result: Any) -> str:
    """The first failed step's own words."""
    for event in result.all_events:
        if event.is_step_failure:
            told = event.step_failure_data.user_failure_data
            return told.description if told and told.description else plainest(event.step_failure_data.error)
    return "see `salwa status`"


def plainest(error: Any) -> str:
    """Of an error and its causes the one that was written for a person, else the deepest, in one line."""
    causes = [error]
    while causes[-1].cause is not None:
        causes.append(causes[-1].cause)
    chosen = next((cause for cause in causes if cause.cls_name == SalwaError.__name__), causes[-1])
    return chosen.message.strip().splitlines()[0].partition("SalwaError: ")[2] or chosen.message.strip().splitlines()[0]


def terminal_watcher(display: Progress, task: TaskID, done: Refreshed) -> Any:
    """A watcher that draws, and counts into done."""
    from orchestration.assets import Watcher

    class TerminalWatcher(Watcher):
        def source_loading(self, source: str) -> None:
            display.update(task, description=f"Loading {source}", total=None)

        def source_loaded(self, source: str, files: int, rows: dict[str, int]) -> None:
            done.files += files
            done.rows += sum(rows.values())
            if files:
                console.err.print(f"  loaded [bold]{source}[/]: {files} files, {sum(rows.values()):,} rows")

        def node_finished(self, node: Node, total: int) -> None:
            done.models += node.resource_type == "model"
            done.tests += node.resource_type == "test"
            what = "Building" if node.resource_type == "model" else "Testing"
            display.update(task, description=f"{what} {node.name[:40]}", total=total or None, advance=1)

        def published(self, version: str) -> None:
            done.version = version

        def note(self, text: str) -> None:
            console.err.print(f"  [yellow]{text}[/]")

    return TerminalWatcher()
