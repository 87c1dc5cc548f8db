"""What the last build was made with, which an increment goes on from; and why one cannot."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb
import pyarrow as pa

LITTLE = 200_000  # rows: as many are built in full in the time it takes to find what is touched
TICKETS = ("chatwoot", "inbox")  # their conversations are not sliced: where there are any, models are made whole


@dataclass(frozen=True)
class Built:
    """What a warehouse is built with.

    Attributes:
        as_of: the "now" of its figures.
        version: changes with the models and with the settings.
        files: landing files whose rows are in it, by source.
        rows: how many messages and statuses of WhatsApp were told, about.
    """

    as_of: datetime
    version: str
    files: Mapping[str, frozenset[str]]
    rows: int = 0


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
    ((rows,),) = connection.execute(
        "select coalesce(sum(estimated_size), 0) from duckdb_tables() "
        "where schema_name = 'raw_whatsapp' and table_name in ('messages', 'statuses')"
    ).fetchall()
    return Built(as_of, hashlib.sha256(f"{stamp} {settings}".encode()).hexdigest(), files, int(rows))


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
    gone = any(names - now.files.get(source, frozenset()) for source, names in last.files.items())
    reasons = {
        "the models or the settings are not those of the last build": last.version != now.version,
        "the last build was made as of a later time": now.as_of < last.as_of,
        "landing files that were loaded are there no more": gone,
        "an inbox's conversations are always made in full": any(now.files.get(source) for source in TICKETS),
        "there is so little that finding what is touched takes as long": now.rows < LITTLE,
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def content(connection: duckdb.DuckDBPyConnection, relation: str) -> tuple[Any, ...]:
    """Tells whether a relation's rows are the same as before, in whatever order."""
    (found,) = connection.execute(
        f"select count(*), bit_xor(hash(rows)), sum(hash(rows) % 4294967296) from {relation} as rows"
    ).fetchall()
    return found
