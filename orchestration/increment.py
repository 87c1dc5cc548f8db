"""What of the warehouse an increment has to make anew, and how: decision 26.

A full build makes every relation from all rows. After an hour's deliveries nearly all of them would be what they were, so
an increment first finds out what the new rows touch (dbt_project/increments/): messages, then everybody whom they concern,
then days. A model that says in its config by which keys it is `touched` then reads only the slice of its parents that
belongs to these keys, and only its rows of these keys are replaced. Its SQL is the same; only the names of its parents are
others. All other models are small, and made whole.

Nothing is guessed: where a parent that has no slice turns out to be another than before, the model is made whole, and so
is what stands on it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa

Compiled = dict[str, Any]  # a node of dbt's manifest
TOUCHED = re.compile(r'"touched"\."(\w+)"\."(\w+)"')
TICKETS = ("chatwoot", "inbox")  # their conversations are not sliced: where there are any, models are made whole


@dataclass(frozen=True)
class Stage:
    """A step from the new rows to the figures.

    queries_see, models_see: stages whose slices stand for a relation, for the queries that find what is touched and for
    the models; the first that has one counts.
    """

    queries_see: tuple[str, ...] = ()
    models_see: tuple[str, ...] = ()
    keeps_touched_only: bool = False  # a slice also makes rows of other keys, which are not to be kept


STAGES: dict[str, Stage] = {
    "news": Stage(),  # rows told since the last build
    "told": Stage(queries_see=("news",)),  # the messages and people they name
    "evidence": Stage(models_see=("evidence",)),  # all that was ever told of these messages
    "identity": Stage(models_see=("identity",)),  # everybody who belongs together with these people
    "persons": Stage(models_see=("persons", "identity")),
    "people": Stage(models_see=("people", "persons")),  # their messages, from where on threads are cut anew
    "customers": Stage(models_see=("customers",), keeps_touched_only=True),
    "days": Stage(models_see=("days",), keeps_touched_only=True),  # the days on which anything of it differs
    "periods": Stage(models_see=("periods",)),  # the last three months, which the summary is about
}


@dataclass
class Increment:
    """One increment while it runs.

    Attributes:
        changed: sources with new rows, and models that were made whole and are not what they were, by unique id.
        compared: models of which that must be known.
        clock: instants that the queries ask for, by name.
        slices: the relations in memory that there are, by stage and name.
        whole: models that could have been sliced and were made whole, with the reason.
    """

    nodes: Mapping[str, Compiled]
    changed: set[str]
    compared: set[str]
    clock: Mapping[str, datetime]
    new_files: int
    slices: dict[tuple[str, str], str] = field(default_factory=dict)
    whole: dict[str, str] = field(default_factory=dict)


# --- the last build -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Built:
    """What a warehouse is built with.

    Attributes:
        as_of: the "now" of its figures.
        version: changes with the models and with the settings.
        files: landing files whose rows are in it, by source.
    """

    as_of: datetime
    version: str
    files: Mapping[str, frozenset[str]]


def now_built(connection: duckdb.DuckDBPyConnection, sources: Iterable[str], stamp: str) -> Built | None:
    """What a build that begins now is made with; None where nothing was prepared for one.

    Args:
        stamp: of the models.
    """
    found = connection.execute(
        "select schema_name || '.' || table_name from duckdb_tables() where database_name = 'restricted'"
    ).fetchall()
    there = {name for (name,) in found}
    if "settings.workspaces" not in there:
        return None
    ((as_of,),) = connection.execute('select max(as_of) from "restricted"."settings"."workspaces"').fetchall()
    # the clock and when a source was last asked are no settings, though they stand among them
    settings = [
        (name, content(connection, f"(select columns(c -> c <> 'as_of') from \"restricted\".{name})"))
        for name in sorted(there)
        if name.startswith("settings.") and name not in ("settings.source_states", "settings.fingerprints")
    ]
    files = {
        source: frozenset(
            name
            for (name,) in connection.execute(
                f'select landing_file from "restricted"."raw_{source}"."landed_files"'
            ).fetchall()
        )
        for source in sources
        if f"raw_{source}.landed_files" in there
    }
    return Built(as_of, hashlib.sha256(f"{stamp} {settings}".encode()).hexdigest(), files)


def last_built(connection: duckdb.DuckDBPyConnection) -> Built | None:
    """What the last build that ended well was made with; None where there is none."""
    connection.execute('create schema if not exists "restricted"."build"')
    connection.execute('create table if not exists "restricted"."build"."last" (as_of timestamptz, version varchar)')
    connection.execute('create table if not exists "restricted"."build"."files" (source varchar, landing_file varchar)')
    found = connection.execute('select as_of, version from "restricted"."build"."last"').fetchall()
    files = connection.execute(
        'select source, list(landing_file) from "restricted"."build"."files" group by source'
    ).fetchall()
    return Built(*found[0], {source: frozenset(names) for source, names in files}) if found else None


def forget_last(connection: duckdb.DuckDBPyConnection) -> None:
    """A build that is killed half-way leaves relations of two states: the next one makes all of them."""
    connection.execute('delete from "restricted"."build"."last"')


def remember(connection: duckdb.DuckDBPyConnection, built: Built) -> None:
    """The build ended well."""
    rows = [(source, name) for source, names in built.files.items() for name in sorted(names)]
    connection.execute("begin")
    connection.execute('create or replace table "restricted"."build"."files" (source varchar, landing_file varchar)')
    if rows:
        connection.register(
            "built_files", pa.table({"source": [row[0] for row in rows], "landing_file": [row[1] for row in rows]})
        )
        connection.execute('insert into "restricted"."build"."files" select * from built_files')
    connection.execute('delete from "restricted"."build"."last"')
    connection.execute('insert into "restricted"."build"."last" values (?, ?)', [built.as_of, built.version])
    connection.execute("commit")


def why_whole(last: Built | None, now: Built | None) -> str:
    """Why everything must be made; empty where an increment is possible."""
    if last is None or now is None:
        return "there is no finished build to go on from"
    if last.version != now.version:
        return "the models or the settings are not those of the last build"
    if now.as_of < last.as_of:
        return "the last build was made as of a later time"
    if any(names - now.files.get(source, frozenset()) for source, names in last.files.items()):
        return "landing files that were loaded are there no more"
    if any(now.files.get(source) for source in TICKETS):
        return "an inbox's conversations are always made in full"
    return ""


def begin(connection: duckdb.DuckDBPyConnection, nodes: Mapping[str, Compiled], last: Built, now: Built) -> Increment:
    """An increment from the last build on."""
    changed = {
        f"source.salwa.{source}.{table}"
        for source, names in now.files.items()
        if names - last.files.get(source, frozenset())
        for table in tables_of(connection, f"raw_{source}")
    }
    ((gap,),) = connection.execute(
        'select max(session_gap_seconds) from "restricted"."settings"."workspaces"'
    ).fetchall()
    clock = {"last_as_of": last.as_of, "silent_from": last.as_of - timedelta(seconds=gap)}
    new_files = sum(len(names - last.files.get(source, frozenset())) for source, names in now.files.items())
    return Increment(nodes, changed, needs_comparing(nodes), clock, new_files)


def tables_of(connection: duckdb.DuckDBPyConnection, schema: str) -> list[str]:
    found = connection.execute("select table_name from duckdb_tables() where schema_name = ?", [schema]).fetchall()
    return [name for (name,) in found]


# --- the plan -------------------------------------------------------------------------------------------------------


def queries(nodes: Mapping[str, Compiled]) -> dict[str, Compiled]:
    """The queries that find what is touched, by unique id."""
    return {key: node for key, node in nodes.items() if node["resource_type"] == "analysis"}


def stage_of(node: Compiled) -> str | None:
    """The stage of a query or of a model that can be sliced."""
    if node["resource_type"] == "analysis":
        return str(node["name"]).split("__", 1)[0]
    return node["config"].get("meta", {}).get("stage")


def order_of(nodes: Mapping[str, Compiled]) -> dict[str, list[str]]:
    """What must be done before each model and query.

    A query that reads a model of its own stage reads it as the last build left it: the models of a stage wait for all
    its queries. What one reads of the slices waits for whoever makes them.
    """
    makers = {slice_made(node): key for key, node in nodes.items() if stage_of(node)}
    of_stage: dict[str, list[str]] = {stage: [] for stage in STAGES}
    for key, node in queries(nodes).items():
        of_stage[stage_of(node) or ""].append(key)
    order: dict[str, list[str]] = {}
    for key, node in nodes.items():
        stage = stage_of(node)
        parents = [parent for parent in node["depends_on"]["nodes"] if parent in nodes]
        if node["resource_type"] == "analysis":
            parents = [parent for parent in parents if stage_of(nodes[parent]) != stage]
            parents += [makers[found] for found in TOUCHED.findall(node["compiled_code"])]
            parents += [query for seen in STAGES[stage or ""].queries_see for query in of_stage[seen]]
        elif stage:
            parents += [query for seen in {stage, *STAGES[stage].models_see} for query in of_stage[seen]]
        order[key] = parents
    return order


def slice_made(node: Compiled) -> tuple[str, str]:
    """The stage and name of the relation in memory that a query or sliced model makes."""
    stage = stage_of(node) or ""
    name = str(node["name"])
    return stage, name.removeprefix(f"{stage}__") if node["resource_type"] == "analysis" else name


# --- running --------------------------------------------------------------------------------------------------------


def find_touched(increment: Increment, query: Compiled, connection: duckdb.DuckDBPyConnection) -> bool:
    """Make a query's relation in memory; False where what it reads of the slices is not there."""
    stage, name = slice_made(query)
    if any(found not in increment.slices for found in TOUCHED.findall(query["compiled_code"])):
        return False
    sql = with_slices(increment, query, STAGES[stage].queries_see)
    make_slice(increment, connection, stage, name, sql)
    return True


def make_slice(increment: Increment, connection: duckdb.DuckDBPyConnection, stage: str, name: str, sql: str) -> None:
    relation = f'"touched"."{stage}"."{name}"'
    connection.execute(f'create schema if not exists "touched"."{stage}"')
    connection.execute(f"create or replace table {relation} as {sql}")
    increment.slices[stage, name] = relation


def with_slices(increment: Increment, node: Compiled, seen: tuple[str, ...]) -> str:
    """A node's SQL, reading slices where there are any; a view that stands on some is written out in its place."""
    sql = str(node["compiled_code"])
    for parent in node["depends_on"]["nodes"]:
        model = increment.nodes.get(parent)
        if model is None:
            continue
        if relation := slice_of(increment, model, seen):
            sql = sql.replace(model["relation_name"], relation)
        elif model["config"]["materialized"] == "view":
            written_out = with_slices(increment, model, seen)
            if written_out != model["compiled_code"]:
                sql = sql.replace(model["relation_name"], f"(\n{written_out}\n)")
    return sql


def slice_of(increment: Increment, model: Compiled, seen: tuple[str, ...]) -> str | None:
    return next((found for stage in seen if (found := increment.slices.get((stage, model["name"])))), None)


def why_not_sliced(increment: Increment, model: Compiled) -> str:
    """Why a model that can be sliced must be made whole this time; empty where it need not."""
    stage = stage_of(model)
    if stage is None:
        return "it has no keys"
    missing = [
        query["name"]
        for query in queries(increment.nodes).values()
        if stage_of(query) == stage and slice_made(query) not in increment.slices
    ]
    if missing:
        return f"{missing[0]} is not known"
    others = sorted(other_parents(increment, model, STAGES[stage].models_see))
    return f"{others[0]} changed" if others else ""


def other_parents(increment: Increment, model: Compiled, seen: tuple[str, ...]) -> set[str]:
    """The parents, through views, that are read whole and are not what they were."""
    found: set[str] = set()
    for parent in model["depends_on"]["nodes"]:
        node = increment.nodes.get(parent)
        if node is None:
            found |= {parent} & increment.changed
        elif slice_of(increment, node, seen) or node["config"].get("meta", {}).get("covered"):
            continue
        elif node["config"]["materialized"] == "view":
            found |= other_parents(increment, node, seen)
        elif parent in increment.changed:
            found.add(node["name"])
    return found


def replace_slice(
    increment: Increment, model: Compiled, connection: duckdb.DuckDBPyConnection, select: Callable[[str], str]
) -> None:
    """Make the rows of the touched keys anew, in one transaction; everything, where the model has no keys.

    Args:
        select: adds to a query what the model's contract asks for.
    """
    stage, name = slice_made(model)
    make_slice(increment, connection, stage, name, select(with_slices(increment, model, STAGES[stage].models_see)))
    made, relation = increment.slices[stage, name], model["relation_name"]
    touched = model["config"]["meta"]["touched"]
    if not touched:
        connection.execute(f"create or replace table {relation} as select * from {made}")
        return
    matches = [
        f"({', '.join(columns)}) in (select {', '.join(columns_of(connection, slice_))} from {slice_})"
        for slice_, columns in ((quoted(key), columns) for key, columns in touched.items())
    ]
    connection.execute("begin")
    for match in matches:
        connection.execute(f"delete from {relation} where {match}")
    only_touched = f"where {' or '.join(matches)}" if STAGES[stage].keeps_touched_only else ""
    connection.execute(f"insert into {relation} select * from {made} {only_touched}")
    connection.execute("commit")


def quoted(slice_: str) -> str:
    """The relation of "people.messages"."""
    stage, name = slice_.split(".")
    return f'"touched"."{stage}"."{name}"'


def columns_of(connection: duckdb.DuckDBPyConnection, relation: str) -> list[str]:
    return [row[0] for row in connection.execute(f"describe {relation}").fetchall()]


def sql_of_test(increment: Increment, test: Compiled) -> str:
    """A test's SQL, about the rows that were made anew, where one stage made all that it reads; else about all rows."""
    attached = increment.nodes.get(test["attached_node"] or "")
    read = (
        [attached]
        if attached
        else [increment.nodes[key] for key in test["depends_on"]["nodes"] if key in increment.nodes]
    )
    stages = {stage_of(model) for model in read}
    (stage,) = stages if len(stages) == 1 else (None,)
    return str(test["compiled_code"]) if stage is None else with_slices(increment, test, (stage,))


def needs_comparing(nodes: Mapping[str, Compiled]) -> set[str]:
    """The models without slices, by unique id, that sliced ones read: whether they changed decides."""
    found: set[str] = set()

    def visit(node: Compiled) -> None:
        for parent in node["depends_on"]["nodes"]:
            model = nodes.get(parent)
            if model is None or stage_of(model) or model["config"].get("meta", {}).get("covered"):
                continue
            if model["config"]["materialized"] == "view":
                visit(model)
            else:
                found.add(parent)

    for node in nodes.values():
        if node["resource_type"] == "model" and stage_of(node):
            visit(node)
    return found


def make_and_compare(
    increment: Increment, model: Compiled, connection: duckdb.DuckDBPyConnection, make: Callable[[], None]
) -> None:
    """Make a model whole, and note whether it changed where that matters.

    What only grows may get rows: the queries look for them. It has changed where one of its old rows is gone.
    """
    relation, key = model["relation_name"], model["unique_id"]
    if key not in increment.compared:
        make()
        return
    if model["config"].get("meta", {}).get("grows"):
        connection.execute(f"create or replace temp table before as select * from {relation}")
        make()
        ((is_changed,),) = connection.execute(f"select exists(from before except all from {relation})").fetchall()
        connection.execute("drop table before")
    else:
        before = content(connection, relation)
        make()
        is_changed = before != content(connection, relation)
    if is_changed:
        increment.changed.add(key)


def content(connection: duckdb.DuckDBPyConnection, relation: str) -> tuple[Any, ...]:
    """Tells whether a relation's rows are the same as before, in whatever order."""
    (found,) = connection.execute(
        f"select count(*), bit_xor(hash(rows)), sum(hash(rows) % 4294967296) from {relation} as rows"
    ).fetchall()
    return found


def told(increment: Increment, connection: duckdb.DuckDBPyConnection) -> str:
    """What was touched, in numbers, and what could not be sliced, with the first reason."""

    def count(stage: str, name: str) -> str:
        relation = increment.slices.get((stage, name))
        return f"{connection.execute(f'select count(*) from {relation}').fetchall()[0][0]:,}" if relation else "?"

    words = (
        f"{increment.new_files:,} new landing files touch {count('told', 'messages')} messages, "
        f"{count('customers', 'customers')} customers with {count('people', 'messages')} messages, {count('days', 'days')} days"
    )
    reasons = sorted(set(increment.whole.values()))
    return words + (f"; {len(increment.whole)} models made in full: {reasons[0]}" if reasons else "")
