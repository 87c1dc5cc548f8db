"""Build the warehouse: run every model that dbt has compiled, in its order, then the tests that guard what is published.

dbt itself spends four times as long on what surrounds a statement as DuckDB does on the statement, and somebody who
pressed Refresh waits for it (decision 23). What a model means is dbt's alone: the SQL run here is the one it compiled.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from graphlib import TopologicalSorter
from typing import Any

import duckdb

from ingestion.duckdb_files import attach, opened
from ingestion.errors import SalwaError
from ingestion.loading import sources
from ingestion.settings import Settings
from orchestration.compiling import manifest
from orchestration.increment.last_build import (
    forget_last,
    landed_of,
    last_built,
    now_built,
    remember,
    tables_of,
    told_rows,
    why_whole,
)
from orchestration.increment.slices import (
    Increment,
    begin,
    find_touched,
    make_and_compare,
    replace_slice,
    sql_of_test,
    told,
    why_not_sliced,
)
from orchestration.increment.stages import order_of, queries, stage_of

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
    """What a build did, node by node, in the order they finished.

    Attributes:
        queries: what found the touched rows, which makes no table that anybody reads.
        told: what was made anew and why, in words without anything personal.
    """

    nodes: list[Node] = field(default_factory=list)
    queries: list[Node] = field(default_factory=list)
    told: str = ""

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
    whole: bool = False,
) -> BuildResult:
    """Bring all models up to what is loaded, and run the data tests: of what was made anew.

    Unit tests prove the models, not the data: they belong to `make test`.

    Args:
        on_node: told each finished node and how many there are in all.
        whole: make everything anew, also what nothing new touches.

    Raises:
        SalwaError: the project holds what is not built here, or cannot be compiled.
    """
    compiled = manifest()
    models, tests = nodes_to_run(compiled["nodes"])
    if not with_data_tests:
        tests = {}
    result = BuildResult()

    def tell(node: Node) -> None:
        result.nodes.append(node)
        on_node(node, len(models) + len(tests))

    with warehouse(settings) as session, ThreadPoolExecutor(THREADS) as threads:
        connection = session()
        now, last = now_built(connection, compiled.get("stamp", "")), last_built(connection)
        loaded = [source.name for source in sources() if "landed_files" in tables_of(connection, f"raw_{source.name}")]
        landed = {source: landed_of(connection, source) for source in loaded}
        reason = "everything was asked for" if whole else why_whole(last, now, landed, told_rows(connection))
        make_room(connection, models.values())
        forget_last(connection)
        increment = begin(connection, models | queries(compiled["nodes"]), last, landed) if last and not reason else None
        for node in run_models(models if increment is None else increment.nodes, increment, session, threads):
            if node.resource_type == "model" or node.is_failed:
                tell(node)
            else:
                result.queries.append(node)
        missing = {node.unique_id for node in result.nodes if node.status != "success"}
        # in the order of the models, so that the first failure is the one nearest to the source
        built = {node.unique_id: place for place, node in enumerate(result.nodes)}
        ordered = sorted(tests.values(), key=lambda test: max(built.get(key, 0) for key in test["depends_on"]["nodes"] or [""]))
        for node in threads.map(lambda test: run_test(test, missing, session, increment), ordered):
            tell(node)
        result.told = f"all made in full: {reason}" if increment is None else told(increment, connection)
        # after a failed test all is made and tested again: the next increment may not touch what failed
        if result.is_good and now is not None:
            remember(connection, now, loaded)
    write_log(settings, result)
    return result


def nodes_to_run(nodes: dict[str, Compiled]) -> tuple[dict[str, Compiled], dict[str, Compiled]]:
    """Models and data tests by unique id; nothing of the project may be left out in silence."""
    for node in nodes.values():
        config = node["config"]
        is_model = node["resource_type"] == "model"
        known = node["resource_type"] in ("test", "analysis") or (is_model and config["materialized"] in ("table", "view"))
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
        connection.execute("attach ':memory:' as touched")  # what an increment works on
        spill = settings.data / "spill"
        spill.mkdir(mode=0o700, exist_ok=True)  # rows that do not fit into memory, until the build ends
        if settings.memory:
            connection.execute(f"set memory_limit = '{settings.memory}'")
        connection.execute("set temp_directory = '{}'".format(str(spill).replace("'", "''")))

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


def run_models(
    nodes: Mapping[str, Compiled], increment: Increment | None, session: Session, threads: ThreadPoolExecutor
) -> Iterator[Node]:
    """Run each model once what it reads is there; what reads one that failed is skipped."""
    order = TopologicalSorter(order_of(nodes))
    order.prepare()
    running: dict[Future[Node], str] = {}
    missing: set[str] = set()
    while order.is_active():
        for key in order.get_ready():
            running[threads.submit(run_model, nodes[key], missing, session, increment)] = key
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            node, key = future.result(), running.pop(future)
            if node.status not in ("success", "not known"):
                missing.add(key)
            order.done(key)
            yield node


def run_model(model: Compiled, missing: set[str], session: Session, increment: Increment | None) -> Node:
    """Replace a model's relation, or its touched rows, in one transaction: readers of the warehouse see the old or the new."""
    if missing & set(model["depends_on"]["nodes"]):
        return finished(model, "skipped", 0.0)
    began = time.monotonic()
    status = "success"
    try:
        with session() as cursor:
            if increment is None:
                make_whole(model, cursor)
            elif not make_increment(increment, model, cursor):
                status = "not known"
    except duckdb.Error as error:
        return finished(model, "error", time.monotonic() - began, without_values(error))
    return finished(model, status, time.monotonic() - began)


def make_whole(model: Compiled, cursor: duckdb.DuckDBPyConnection) -> None:
    kind = model["config"]["materialized"]
    cursor.execute(f"create or replace {kind} {model['relation_name']} as {select_of(model, model['compiled_code'])}")


def make_increment(increment: Increment, node: Compiled, cursor: duckdb.DuckDBPyConnection) -> bool:
    """Make what an increment needs of a model or query; False where a query reads what could not be made."""
    for name, instant in increment.clock.items():
        cursor.execute(f"set variable {name} = ?::timestamptz", [instant])
    if node["resource_type"] == "analysis":
        return find_touched(increment, node, cursor)
    reason = why_not_sliced(increment, node)
    if not reason:
        replace_slice(increment, node, cursor, partial(select_of, node))
        return True
    make_and_compare(increment, node, cursor, partial(make_whole, node, cursor))
    if stage_of(node):
        increment.whole[node["name"]] = reason
        increment.changed.add(node["unique_id"])
    return True


def select_of(model: Compiled, sql: str) -> str:
    """A model's rows by this SQL; where it has a contract, with exactly its columns and types."""
    query = f"(\n{sql}\n)"
    if not model["config"]["contract"]["enforced"]:
        return query
    columns = (f'cast("{name}" as {column["data_type"]}) as "{name}"' for name, column in model["columns"].items())
    return f"select {', '.join(columns)} from {query}"


def run_test(test: Compiled, missing: set[str], session: Session, increment: Increment | None) -> Node:
    """Count what must not be, as dbt does; in an increment among the rows that it made."""
    if missing & set(test["depends_on"]["nodes"]):
        return finished(test, "skipped", 0.0)
    config = test["config"]
    sql = test["compiled_code"] if increment is None else sql_of_test(increment, test)
    limit = f"limit {config['limit']}" if config["limit"] else ""
    began = time.monotonic()
    try:
        with session() as cursor:
            cursor.execute(
                f"select failures, failures {config['warn_if']}, failures {config['error_if']} "
                f"from (select {config['fail_calc']} as failures from (\n{sql}\n{limit}) as found)"
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
        for node in sorted([*result.nodes, *result.queries], key=lambda node: (not node.is_failed, -node.seconds))
    ]
    log = settings.data / "logs" / "build.log"
    log.parent.mkdir(exist_ok=True)
    log.write_text("".join([f"{result.told}\n", *lines]), encoding="utf-8")
