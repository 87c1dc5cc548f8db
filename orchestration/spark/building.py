"""Build on Spark: dbt-spark runs the same models and tests, and facts and marts come back for publishing.

dbt is all that talks to the cluster, so that whatever dbt can reach can build (docs/spark.md).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from ingestion import lake
from ingestion.errors import SalwaError
from ingestion.settings import Settings
from orchestration.compiling import PROJECT, QUIET, manifest, target_folder
from orchestration.spark.reading import read_back
from orchestration.transform import BuildResult, Node, without_values, write_log

POLL_SECONDS = 0.05
OF_DBT = {"success": "success", "pass": "pass", "warn": "warn", "error": "error", "fail": "fail", "skipped": "skipped"}
Told = Callable[[Node, int], None]


def build(settings: Settings, on_node: Told = lambda node, total: None, with_data_tests: bool = True) -> BuildResult:
    """Build all models and run all data tests on Spark; where all went well, facts and marts are in the warehouse file.

    Args:
        on_node: told each finished node and how many there are in all.

    Raises:
        SalwaError: Spark does not answer, hashes with another key, or dbt cannot begin.
    """
    key = settings.key()
    lake.write_settings_tables(settings)
    wanted = ("model", "test") if with_data_tests else ("model",)
    nodes = [node for node in manifest()["nodes"].values() if node["resource_type"] in wanted]
    result = BuildResult()
    with short_polls():
        text = secrets.token_hex(8)
        expected = hashlib.sha256(f"{key}|{text}".encode()).hexdigest()[:32]
        run_operation(settings, "prepare_build", {
            "text": text, "expected": expected, "places": lake.layer_places(settings),
            "statements": list(lake.catalog_statements(settings)),
        })  # fmt: skip

        def finished(event: Any) -> None:
            if event.info.name == "NodeFinished" and (node := node_of(event)) is not None:
                result.nodes.append(node)
                on_node(node, len(nodes))

        run = ["build", "--exclude-resource-type", "unit_test"] if with_data_tests else ["run"]
        outcome = run_dbt(settings, run, [finished])
    if outcome.exception is not None:
        raise SalwaError(f"dbt cannot build on Spark: {failed_words(outcome.exception)}")
    if not result.nodes:
        raise SalwaError("dbt built nothing on Spark")
    result.told = "all made in full, by Spark"
    write_log(settings, result)
    if result.is_good:
        read_back(settings)
    return result


def node_of(event: Any) -> Node | None:
    """A model or test that dbt has finished."""
    told, found = event.data.node_info, event.data.run_result
    if told.resource_type not in ("model", "test"):
        return None
    status = OF_DBT.get(found.status, "error")
    message = failed_words(found.message) if status in ("error", "fail", "warn") and found.message else ""
    return Node(told.unique_id, told.node_name, told.resource_type, status, found.execution_time, message, found.num_failures)


def run_operation(settings: Settings, macro: str, arguments: dict[str, Any]) -> None:
    """Run a macro of macros/spark.sql.

    Raises:
        SalwaError: in dbt's words.
    """
    said: list[str] = []

    def heard(event: Any) -> None:
        if event.info.name in ("RunningOperationCaughtError", "RunningOperationUncaughtError"):
            said.append(event.data.exc)

    outcome = run_dbt(settings, ["run-operation", macro, "--args", json.dumps(arguments)], [heard])
    if not outcome.success:
        told = said or [outcome.exception or "dbt does not say why"]
        raise SalwaError(f"Spark is not ready to build: {failed_words(told[0])}")


def run_dbt(settings: Settings, arguments: list[str], callbacks: list[Callable[[Any], None]] | None = None) -> Any:
    """Run one dbt command in this process against Spark; dbt's own result."""
    try:
        import dbt.adapters.spark  # noqa: F401
    except ImportError:
        raise SalwaError("dbt-spark is not installed here: `make spark` makes .venv-spark with it") from None
    from dbt.adapters.factory import reset_adapters
    from dbt.cli.main import dbtRunner

    profiles = os.environ.get("DBT_PROFILES_DIR") or str(PROJECT)
    folder = target_folder() / "spark"
    fixed = ["--project-dir", str(PROJECT), "--profiles-dir", profiles, "--target", "spark", "--target-path", str(folder)]
    wanted = {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1"} | connection(settings)
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        return dbtRunner(callbacks=callbacks or []).invoke([*arguments, *fixed, *QUIET])
    finally:
        reset_adapters()
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def connection(settings: Settings) -> dict[str, str]:
    """What profiles.yml asks for."""
    return {"SALWA_SPARK_HOST": settings.spark_host, "SALWA_SPARK_PORT": str(settings.spark_port)}


def failed_words(told: Any) -> str:
    """Spark's words in one line, without values: they go to readers and logs."""
    text = " ".join(str(told).split())
    spark = re.search(r"\[[A-Z][A-Z_.0-9]+\].*", text)
    return without_values(spark[0] if spark else text)[:400]


@contextmanager
def short_polls() -> Iterator[None]:
    """dbt-spark asks every whole second, or more, whether a statement has ended; a build has a thousand short ones."""
    from dbt.adapters.spark import connections

    own = connections.time
    connections.time = SimpleNamespace(sleep=lambda seconds: time.sleep(min(seconds, POLL_SECONDS)), time=time.time)
    try:
        yield
    finally:
        connections.time = own
