"""The page's own database: what its cards read, as one SQLite file.

The page runs the very SQL of the cards, so any range and any filter are exact without a server. SQLite knows no
schemas within a file, no dates and no instants: tables go without their schema's name, dates as ISO text, instants as
seconds since 1970, truth as 0 and 1. Ids become small numbers: they only join, and nobody reads them.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable
from pathlib import Path

import duckdb

TABLE = re.compile(r"\b(facts|marts)\.(\w+)")
QUOTED = re.compile(r'"(?:facts|marts)"\."(\w+)"\."(\w+)"')
SECONDS = re.compile(r"extract\(epoch from ([\w.]+) - ([\w.]+)\)")
BATCH = 10_000


def sqlite_sql(sql: str) -> str:
    """A card's SQL as SQLite takes it; parameters stay as they are."""
    return TABLE.sub(r"\2", SECONDS.sub(r"(\1 - \2)", QUOTED.sub(r'"\1"."\2"', sql)))


def tables_of(sql_texts: Iterable[str]) -> list[str]:
    """Names, with schemas, of the tables that these texts read."""
    return sorted({f"{schema}.{table}" for text in sql_texts for schema, table in TABLE.findall(text)})


def write_database(serving: duckdb.DuckDBPyConnection, sql_texts: list[str], file: Path) -> int:
    """Write the tables these texts read, with the columns they name; returns the number of rows.

    A column is taken when its name stands anywhere in the texts, all columns of a filter included.
    """
    words = {word for text in sql_texts for word in re.findall(r"\w+", text)} | {
        "channel_name",
        "agent_name",
        "local_date",
    }
    file.unlink(missing_ok=True)
    rows = 0
    numbers: dict[str, int] = {}  # an id's number is the same in every table and column
    with sqlite3.connect(file) as target:
        for table in tables_of(sql_texts):
            rows += copy_table(serving, target, table, words, numbers)
    target.execute("vacuum")
    target.close()
    return rows


def copy_table(
    serving: duckdb.DuckDBPyConnection, target: sqlite3.Connection, table: str, words: set[str], numbers: dict[str, int]
) -> int:
    described = serving.execute(f"describe {table}").fetchall()
    columns = [(name, kind) for name, kind, *_ in described if name in words]
    bare = table.split(".")[1]
    target.execute(f"create table {bare} ({', '.join(f'{name} {sqlite_type(name, kind)}' for name, kind in columns)})")
    cursor = serving.execute(f"select {', '.join(taken(name, kind) for name, kind in columns)} from {table}")
    ids = [number for number, (name, _kind) in enumerate(columns) if name.endswith("_id")]
    copied = 0
    while batch := cursor.fetchmany(BATCH):
        rows = [list(row) for row in batch]
        for row in rows:
            for number in ids:
                if row[number] is not None:
                    row[number] = numbers.setdefault(row[number], len(numbers))
        target.executemany(f"insert into {bare} values ({', '.join('?' * len(columns))})", rows)
        copied += len(rows)
    for name, _kind in columns:
        if name == "conversation_id":
            target.execute(f"create index {bare}_{name} on {bare} ({name})")
    return copied


def sqlite_type(name: str, kind: str) -> str:
    if name.endswith("_id") or kind in ("BOOLEAN", "BIGINT", "INTEGER"):
        return "integer"
    if kind.startswith(("TIMESTAMP", "DECIMAL")) or kind == "DOUBLE":
        return "real"
    return "text"


def taken(name: str, kind: str) -> str:
    """A column as SQLite keeps it."""
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"epoch_us({name}) / 1000000.0 as {name}"
    if kind.startswith("DECIMAL"):
        return f"cast({name} as double) as {name}"
    if kind == "BOOLEAN":
        return f"cast({name} as integer) as {name}"
    if kind in ("DATE", "TIMESTAMP"):
        return f"cast({name} as varchar) as {name}"
    return name
