"""What the last build was made with, which an increment goes on from; and why one cannot."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

LITTLE = 200_000  # rows: as many are built in full in the time it takes to find what is touched
TICKETS = ("chatwoot", "inbox")  # their conversations are not sliced: where there are any, models are made whole


@dataclass(frozen=True)
class Landed:
    """Landing files of a source: loaded in all, loaded since the last build, and built from but loaded no more."""

    loaded: int
    new: int
    gone: int


@dataclass(frozen=True)
class Built:
    """What a warehouse is built with.

    Attributes:
        as_of: the "now" of its figures.
        version: changes with the models and with the settings.
    """

    as_of: datetime
    version: str


def now_built(connection: duckdb.DuckDBPyConnection, stamp: str) -> Built | None:
    """What a build that begins now is made with; None where nothing was prepared for one.

    Args:
        stamp: of the models.
    """
    tables = sorted(tables_of(connection, "settings"))
    if "workspaces" not in tables:
        return None
    ((as_of,),) = connection.execute('select max(as_of) from "restricted"."settings"."workspaces"').fetchall()
    # the clock and when a source was last asked are no settings, though they stand among them
    settings = [
        (name, content(connection, f"(select columns(c -> c <> 'as_of') from \"restricted\".\"settings\".\"{name}\")"))
        for name in tables
        if name not in ("source_states", "fingerprints")
    ]
    return Built(as_of, hashlib.sha256(f"{stamp} {settings}".encode()).hexdigest())


def tables_of(connection: duckdb.DuckDBPyConnection, schema: str) -> list[str]:
    found = connection.execute(
        "select table_name from duckdb_tables() where database_name = 'restricted' and schema_name = ?", [schema]
    ).fetchall()
    return [name for (name,) in found]


def last_built(connection: duckdb.DuckDBPyConnection) -> Built | None:
    """What the last build that ended well was made with; None where there is none."""
    connection.execute('create schema if not exists "restricted"."build"')
    connection.execute('create table if not exists "restricted"."build"."last" (as_of timestamptz, version varchar)')
    connection.execute('create table if not exists "restricted"."build"."files" (source varchar, landing_file varchar)')
    found = connection.execute('select as_of, version from "restricted"."build"."last"').fetchall()
    return Built(*found[0]) if found else None


def forget_last(connection: duckdb.DuckDBPyConnection) -> None:
    """A build that is killed half-way leaves relations of two states: the next one makes all of them."""
    connection.execute('delete from "restricted"."build"."last"')


def remember(connection: duckdb.DuckDBPyConnection, built: Built, sources: Iterable[str]) -> None:
    """The build ended well, of all that is loaded."""
    connection.execute("begin")
    for source in sources:
        loaded = f'select landing_file from "restricted"."raw_{source}"."landed_files"'
        known = f"""select landing_file from "restricted"."build"."files" where source = '{source}'"""
        connection.execute(
            f'delete from "restricted"."build"."files" where source = ? and landing_file not in ({loaded})', [source]
        )
        connection.execute(
            f'insert into "restricted"."build"."files" select ?, landing_file from ({loaded} except {known})', [source]
        )
    connection.execute('delete from "restricted"."build"."last"')
    connection.execute('insert into "restricted"."build"."last" values (?, ?)', [built.as_of, built.version])
    connection.execute("commit")


def landed_of(connection: duckdb.DuckDBPyConnection, source: str) -> Landed:
    """What has landed of a source, beside what the last build was made of."""
    ((loaded, new, gone),) = connection.execute(
        f"""
        select
            count(loaded.landing_file),
            count(case when built.landing_file is null then 1 end),
            count(case when loaded.landing_file is null then 1 end)
        from "restricted"."raw_{source}"."landed_files" as loaded
        full join (select landing_file from "restricted"."build"."files" where source = ?) as built
            on loaded.landing_file = built.landing_file
        """,
        [source],
    ).fetchall()
    return Landed(loaded, new, gone)


def told_rows(connection: duckdb.DuckDBPyConnection) -> int:
    """How many messages and statuses of WhatsApp were told, about."""
    ((rows,),) = connection.execute(
        "select coalesce(sum(estimated_size), 0) from duckdb_tables() "
        "where schema_name = 'raw_whatsapp' and table_name in ('messages', 'statuses')"
    ).fetchall()
    return int(rows)


def why_whole(last: Built | None, now: Built | None, landed: Mapping[str, Landed], rows: int) -> str:
    """Why everything must be made; empty where an increment is possible."""
    if last is None or now is None:
        return "there is no finished build to go on from"
    reasons = {
        "the models or the settings are not those of the last build": last.version != now.version,
        "the last build was made as of a later time": now.as_of < last.as_of,
        "landing files that were loaded are there no more": any(files.gone for files in landed.values()),
        "an inbox's conversations are always made in full": any(landed[source].loaded for source in TICKETS if source in landed),
        "there is so little that finding what is touched takes as long": rows < LITTLE,
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def content(connection: duckdb.DuckDBPyConnection, relation: str) -> tuple[Any, ...]:
    """Tells whether a relation's rows are the same as before, in whatever order."""
    (found,) = connection.execute(
        f"select count(*), bit_xor(hash(rows)), sum(hash(rows) % 4294967296) from {relation} as rows"
    ).fetchall()
    return found
