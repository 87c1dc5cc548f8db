"""Build the warehouse: run every model that dbt has compiled, in its order, then the tests that guard what is published.

dbt itself spends four times as long on what surrounds a statement as DuckDB does on the statement, and somebody who
pressed Refresh waits for it (decision 23). What a model means is dbt's alone: the SQL run here is the one it compiled.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import Any

import duckdb

from ingestion.duckdb_files import attach, opened
from ingestion.errors import SalwaError
from ingestion.settings import Settings
from orchestration.compiling import manifest

THREADS = 2  # most statements keep one core busy at most
Compiled = dict[str, Any]  # a node of dbt's manifest
Session = Callable[[], duckdb.DuckDBPyConnection]


@dataclass(frozen=True)
class Node:
    """A model or test that has finished."""

    unique_id: str
    name: str
    resource_type: str  # model | test
    status: str  # success | pass | warn | error | fail | skipped
    seconds: float
    message: str = ""
    failures: int = 0

    @property
    def is_failed(self) -> bool:
        return self.status in ("error", "fail")


@dataclass
class BuildResult:
    """What a build did, node by node, in the order they finished."""

    nodes: list[Node] = field(default_factory=list)

    @property
    def failed(self) -> list[Node]:
        return [node for node in self.nodes if node.is_failed]

    @property
    def is_good(self) -> bool:
        return not self.failed


def build(
    settings: Settings,
    on_node: Callable[[Node, int], None] = lambda node, total: None,
    with_data_tests: bool = True,
) -> BuildResult:
    """Build all models and run all data tests.

    Unit tests prove the models, not the data: they belong to `make test`.

    Args:
        on_node: told each finished node and how many there are in all.

    Raises:
        SalwaError: the project holds what is not built here, or cannot be compiled.
    """
    models, tests = nodes_to_run(manifest()["nodes"])
    total = len(models) + (len(tests) if with_data_tests else 0)
    result = BuildResult()
    with warehouse(settings) as session, ThreadPoolExecutor(THREADS) as threads:
        make_room(session(), models.values())
        for node in run_models(models, session, threads):
            result.nodes.append(node)
            on_node(node, total)
        missing = {node.unique_id for node in result.nodes if node.status != "success"}
        # in the order of the models, so that the first failure is the one nearest to the source
        built = {node.unique_id: place for place, node in enumerate(result.nodes)}
        ordered = sorted(tests.values(), key=lambda test: max(built.get(key, 0) for key in test["depends_on"]["nodes"] or [""]))
        for node in threads.map(lambda test: run_test(test, missing, session), ordered if with_data_tests else ()):
            result.nodes.append(node)
            on_node(node, total)
    write_log(settings, result)
    return result


def nodes_to_run(nodes: dict[str, Compiled]) -> tuple[dict[str, Compiled], dict[str, Compiled]]:
    """Models and data tests by unique id; nothing of the project may be left out in silence."""
    for node in nodes.values():
        config = node["config"]
        is_model = node["resource_type"] == "model"
        known = node["resource_type"] == "test" or (is_model and config["materialized"] in ("table", "view"))
        if not known or config.get("pre-hook") or config.get("post-hook"):
            raise SalwaError(
                f"{node['unique_id']}: only models that are tables or views, without hooks, and data tests are built"
            )
    of_type = {kind: {key: node for key, node in nodes.items() if node["resource_type"] == kind} for kind in ("model", "test")}
    return of_type["model"], of_type["test"]


@contextmanager
def warehouse(settings: Settings) -> Iterator[Callable[[], duckdb.DuckDBPyConnection]]:
    """Both database files, open for writing: a function that begins a session on them. Personal data stays in the first."""
    key = settings.key()
    with opened(settings.restricted) as connection:
        attach(connection, settings.warehouse, "warehouse")

        def session() -> duckdb.DuckDBPyConnection:
            cursor = connection.cursor()
            cursor.execute("set TimeZone = 'UTC'")
            cursor.execute("set variable hash_key = ?", [key])  # in no compiled SQL and no log
            return cursor

        yield session


def make_room(connection: duckdb.DuckDBPyConnection, models: Iterable[Compiled]) -> None:
    """Create the layers' schemas, and drop what no model of this version stands for: it would be published for ever."""
    kinds = {model["relation_name"]: model["config"]["materialized"] for model in models}
    layers = {(model["database"], model["schema"]) for model in models}
    for database, schema in sorted(layers):
        connection.execute(f'create schema if not exists "{database}"."{schema}"')
    found = connection.execute(
        "select database_name, schema_name, table_name, 'table' from duckdb_tables() "
        "union all select database_name, schema_name, view_name, 'view' from duckdb_views() where not internal"
    ).fetchall()
    for database, schema, name, kind in found:
        relation = f'"{database}"."{schema}"."{name}"'
        if (database, schema) in layers and kinds.get(relation) != kind:
            connection.execute(f"drop {kind} {relation}")


def run_models(models: dict[str, Compiled], session: Session, threads: ThreadPoolExecutor) -> Iterator[Node]:
    """Run each model once those it reads are there; what reads one that failed is skipped."""
    order = TopologicalSorter(
        {key: [parent for parent in node["depends_on"]["nodes"] if parent in models] for key, node in models.items()}
    )
    order.prepare()
    running: dict[Future[Node], str] = {}
    missing: set[str] = set()
    while order.is_active():
        for key in order.get_ready():
            running[threads.submit(run_model, models[key], missing, session)] = key
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            node, key = future.result(), running.pop(future)
            if node.status != "success":
                missing.add(key)
            order.done(key)
            yield node


def run_model(model: Compiled, missing: set[str], session: Session) -> Node:
    """Replace a model's relation in one transaction: readers of the warehouse see the old rows or the new ones."""
    if missing & set(model["depends_on"]["nodes"]):
        return finished(model, "skipped", 0.0)
    began = time.monotonic()
    try:
        with session() as cursor:
            kind = model["config"]["materialized"]
            cursor.execute(f"create or replace {kind} {model['relation_name']} as {select_of(model)}")
    except duckdb.Error as error:
        return finished(model, "error", time.monotonic() - began, without_values(error))
    return finished(model, "success", time.monotonic() - began)


def select_of(model: Compiled) -> str:
    """A model's rows; where it has a contract, with exactly its columns and types."""
    query = f"(\n{model['compiled_code']}\n)"
    if not model["config"]["contract"]["enforced"]:
        return query
    columns = (f'cast("{name}" as {column["data_type"]}) as "{name}"' for name, column in model["columns"].items())
    return f"select {', '.join(columns)} from {query}"


def run_test(test: Compiled, missing: set[str], session: Session) -> Node:
    """Count what must not be, as dbt does."""
    if missing & set(test["depends_on"]["nodes"]):
        return finished(test, "skipped", 0.0)
    config = test["config"]
    limit = f"limit {config['limit']}" if config["limit"] else ""
    began = time.monotonic()
    try:
        with session() as cursor:
            cursor.execute(
                f"select failures, failures {config['warn_if']}, failures {config['error_if']} "
                f"from (select {config['fail_calc']} as failures from (\n{test['compiled_code']}\n{limit}) as found)"
            )
            failures, warns, errs = cursor.fetchall()[0]
    except duckdb.Error as error:
        return finished(test, "error", time.monotonic() - began, without_values(error))
    fails = errs and config["severity"].lower() == "error"
    status = "fail" if fails else "warn" if warns else "pass"
    told = "" if status == "pass" else f"Got {failures} result{'s' if failures != 1 else ''}, of which there must be none"
    return finished(test, status, time.monotonic() - began, told, failures)


def without_values(error: duckdb.Error) -> str:
    """DuckDB's first line without what it quotes: a value may be somebody's number, and the words go to readers and logs."""
    return re.sub(r"'.*'|\".*\"|\b\d{5,}\b", "…", str(error).strip().splitlines()[0])


def finished(node: Compiled, status: str, seconds: float, message: str = "", failures: int = 0) -> Node:
    return Node(node["unique_id"], node["name"], node["resource_type"], status, seconds, message.strip(), failures)


def write_log(settings: Settings, result: BuildResult) -> None:
    """What the last build did, slowest first: times and words, no rows."""
    lines = [
        f"{node.seconds:9.3f} s  {node.status:7}  {node.name}{'  ' + node.message.splitlines()[0] if node.message else ''}\n"
        for node in sorted(result.nodes, key=lambda node: (not node.is_failed, -node.seconds))
    ]
    log = settings.data / "logs" / "build.log"
    log.parent.mkdir(exist_ok=True)
    log.write_text("".join(lines), encoding="utf-8")
