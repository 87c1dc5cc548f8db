"""One increment while it runs: which slices there are, and the models' SQL run on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import duckdb

from orchestration.increment.last_build import Built, content
from orchestration.increment.stages import (
    STAGES,
    TOUCHED,
    Compiled,
    needs_comparing,
    queries,
    slice_made,
    stage_of,
)


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


def begin(connection: duckdb.DuckDBPyConnection, nodes: Mapping[str, Compiled], last: Built, now: Built) -> Increment:
    """An increment from the last build on."""
    for stage in STAGES:
        connection.execute(f'create schema "touched"."{stage}"')
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
