"""Run dbt in this process: models, then the tests that guard what is published."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from ingestion.settings import Settings

PROJECT = Path(__file__).parents[1] / "dbt_project"
QUIET = ("--log-level", "none", "--no-version-check")


def manifest_file() -> Path:
    """Where dbt writes what it has parsed: its own variable moves it, so that processes need not share it."""
    return Path(os.environ.get("DBT_TARGET_PATH") or PROJECT / "target") / "manifest.json"


@dataclass(frozen=True)
class Node:
    """A dbt model or test that has finished."""

    unique_id: str
    name: str
    resource_type: str  # model | test | unit_test
    status: str  # success | pass | warn | error | fail | skipped
    seconds: float
    message: str = ""
    failures: int = 0

    @property
    def is_failed(self) -> bool:
        return self.status in ("error", "fail")


@dataclass
class BuildResult:
    """What a dbt run did, node by node."""

    nodes: list[Node] = field(default_factory=list)
    problem: str | None = None  # why dbt could not even start

    @property
    def failed(self) -> list[Node]:
        return [node for node in self.nodes if node.is_failed]

    @property
    def is_good(self) -> bool:
        return self.problem is None and not self.failed


def build(settings: Settings, on_node: Callable[[Node, int], None] = lambda node, total: None) -> BuildResult:
    """Build all models and run all data tests.

    Unit tests prove the models, not the data: they belong to `make test`.

    Args:
        on_node: told each finished node and how many there are in all.
    """
    return run_dbt(settings, ["build", "--exclude-resource-type", "unit_test"], on_node)


def run_dbt(
    settings: Settings, arguments: list[str], on_node: Callable[[Node, int], None] = lambda node, total: None
) -> BuildResult:
    """Run one dbt command against the warehouse of these settings."""
    from dbt.cli.main import dbtRunner

    total = 0

    def on_event(event: Any) -> None:
        nonlocal total
        if event.info.name == "ConcurrencyLine":
            total = event.data.node_count
        if event.info.name == "NodeFinished":
            on_node(finished_node(event.data), total)

    options = [
        *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)),
        *("--log-path", str(settings.data / "logs")),
        *QUIET,
        "--no-write-json",  # nobody reads its files of results
        *("--log-level-file", "info", "--no-use-colors-file"),
    ]
    with dbt_environment(settings):
        try:
            outcome = dbtRunner(manifest=project_manifest(), callbacks=[on_event]).invoke([*arguments, *options])
        finally:
            close_databases()
    result = BuildResult()
    if outcome.exception is not None:
        result.problem = str(outcome.exception).strip()
    elif outcome.result is not None and hasattr(outcome.result, "results"):
        result.nodes = [node_of(found) for found in outcome.result.results]
    return result


def close_databases() -> None:
    """Let go of the warehouse's files, which dbt keeps open from node to node."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    if DuckDBConnectionManager._ENV is not None:
        DuckDBConnectionManager._ENV.close()
        DuckDBConnectionManager.close_all_connections()


@cache
def project_manifest() -> Any:
    """dbt's own manifest object, parsed once per process; it names no file, so that it serves any warehouse."""
    from dbt.cli.main import dbtRunner

    outcome = dbtRunner().invoke(
        ["parse", "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), *QUIET, "--log-level-file", "none"]
    )
    if not outcome.success:
        raise RuntimeError(f"the dbt project cannot be read: {outcome.exception}")
    return outcome.result


def finished_node(data: Any) -> Node:
    info = data.node_info
    return Node(info.unique_id, info.node_name, info.resource_type, str(info.node_status), 0.0)


def node_of(found: Any) -> Node:
    return Node(
        unique_id=found.node.unique_id,
        name=found.node.name,
        resource_type=str(found.node.resource_type),
        status=str(found.status),
        seconds=found.execution_time,
        message=(found.message or "").strip(),
        failures=found.failures or 0,
    )


@contextmanager
def dbt_environment(settings: Settings) -> Iterator[None]:
    """The variables that profiles.yml and the key plugin read, for as long as dbt runs."""
    wanted = {
        "SALWA_RESTRICTED_FILE": str(settings.restricted.resolve()),
        "SALWA_WAREHOUSE_FILE": str(settings.warehouse.resolve()),
        "SALWA_PHONE_KEY": settings.key(),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
