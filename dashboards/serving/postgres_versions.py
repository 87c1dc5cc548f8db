"""The versions in a PostgreSQL database: which schemas hold one, which of them readers see, and those nobody needs.

Renaming takes no lock on tables. A query that names two tables could therefore meet the old one and the new other. So the
switch first locks all tables that are served: then no query is between its first table and its last. A query that waits
for such a lock finds the new table by its name as soon as it gets it.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg import sql

from dashboards.serving.tables import SCHEMAS
from ingestion.errors import SalwaError

PUBLISHER_LOCK = 0x73616C7761  # "salwa", the advisory lock that one publisher holds
MARK = "Published by salwa, version "  # the comment by which a schema is known as ours
PATIENCE_SECONDS = 60.0  # how long readers and another publisher are waited for
PAUSE_SECONDS = 0.4  # between two tries, give or take half
LONGEST_LOCK_MILLISECONDS = 500


@contextmanager
def only_publisher(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """One publisher at a time; another waits. The lock ends with the connection, also after a kill."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not value_of(connection, "select pg_try_advisory_lock(%s)", PUBLISHER_LOCK):
        if time.monotonic() > deadline:
            raise SalwaError("another run is publishing to this database: wait for it, then refresh again")
        pause()
    # what loading takes is not for a time-out that an administrator set for readers
    connection.execute("set statement_timeout = 0")
    connection.execute("set idle_session_timeout = 0")
    try:
        yield
    finally:
        with suppress(psycopg.Error):
            connection.execute("select pg_advisory_unlock(%s)", [PUBLISHER_LOCK])


def readable_by(schema: str, role: str) -> list[sql.Composable]:
    names = {"schema": sql.Identifier(schema), "role": sql.Identifier(role)}
    return [
        sql.SQL("grant usage on schema {schema} to {role}").format(**names),
        sql.SQL("grant select on all tables in schema {schema} to {role}").format(**names),
    ]


# Switching


def switch(connection: psycopg.Connection[Any], rename: Callable[[], None]) -> None:
    """Rename schemas in one transaction, at a moment when no query is reading them.

    Waiting for a lock makes later readers wait too, and a reader that already holds one table may want one that is locked
    here. So each try is short, shorter than what PostgreSQL takes for a deadlock; then readers go first for a while.

    Raises:
        SalwaError: a query held on for too long; it names who.
    """
    longest = min(LONGEST_LOCK_MILLISECONDS, deadlock_milliseconds(connection) // 2)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with connection.transaction():
                connection.execute(f"set local lock_timeout = '{longest}ms'")
                connection.execute(f"set local statement_timeout = '{longest}ms'")
                lock_served(connection)
                connection.execute("set local statement_timeout = 0")
                rename()
            return
        except (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled, psycopg.errors.DeadlockDetected):
            if time.monotonic() > deadline:
                raise SalwaError(
                    f"{who_reads(connection)} did not let go of the current version within {PATIENCE_SECONDS:.0f} s, so it "
                    "is served on. End that query, then try again"
                ) from None
            pause()


def deadlock_milliseconds(connection: psycopg.Connection[Any]) -> int:
    return int(value_of(connection, "select setting::integer from pg_settings where name = 'deadlock_timeout'"))


def lock_served(connection: psycopg.Connection[Any]) -> None:
    tables = connection.execute(
        """
        select pg_namespace.nspname, pg_class.relname
        from pg_class
        inner join pg_namespace on pg_namespace.oid = pg_class.relnamespace
        where pg_namespace.nspname = any(%s) and pg_class.relkind = 'r'
        order by 1, 2
        """,
        [list(SCHEMAS)],
    ).fetchall()
    if tables:
        names = sql.SQL(", ").join(sql.Identifier(schema, table) for schema, table in tables)
        connection.execute(sql.SQL("lock table {} in access exclusive mode").format(names))


def promote(connection: psycopg.Connection[Any], role: str, version: str) -> None:
    """next becomes current, current becomes previous, previous is retired."""
    for schema in SCHEMAS:
        rename_schema(connection, f"{schema}_previous", f"{schema}_retired_{version.lower()}")
        if rename_schema(connection, schema, f"{schema}_previous"):
            hide(connection, f"{schema}_previous", role)
        rename_schema(connection, f"{schema}_next", schema)


def demote(connection: psycopg.Connection[Any], role: str, version: str) -> None:
    """current is retired, previous becomes current."""
    for schema in SCHEMAS:
        rename_schema(connection, schema, f"{schema}_retired_{version.lower()}")
        hide(connection, f"{schema}_retired_{version.lower()}", role)
        rename_schema(connection, f"{schema}_previous", schema)
        run_all(connection, readable_by(schema, role))


def rename_schema(connection: psycopg.Connection[Any], old: str, new: str) -> bool:
    """Rename it if it is there."""
    if not value_of(connection, "select count(*) from pg_namespace where nspname = %s", old):
        return False
    connection.execute(sql.SQL("alter schema {} rename to {}").format(sql.Identifier(old), sql.Identifier(new)))
    return True


def hide(connection: psycopg.Connection[Any], schema: str, role: str) -> None:
    names = {"schema": sql.Identifier(schema), "role": sql.Identifier(role)}
    connection.execute(sql.SQL("revoke usage on schema {schema} from {role}").format(**names))


def who_reads(connection: psycopg.Connection[Any]) -> str:
    """Who holds the tables that are served, in words."""
    holder = connection.execute(
        """
        select
            pg_stat_activity.usename,
            pg_stat_activity.application_name,
            pg_stat_activity.pid,
            extract(epoch from clock_timestamp() - coalesce(pg_stat_activity.xact_start, pg_stat_activity.query_start))
        from pg_locks
        inner join pg_class on pg_class.oid = pg_locks.relation
        inner join pg_namespace on pg_namespace.oid = pg_class.relnamespace
        inner join pg_stat_activity on pg_stat_activity.pid = pg_locks.pid
        where
            pg_namespace.nspname = any(%s)
            and pg_locks.granted
            and pg_locks.database = (select oid from pg_database where datname = current_database())
            and pg_locks.pid <> pg_backend_pid()
        order by 4 desc nulls last
        limit 1
        """,
        [list(SCHEMAS)],
    ).fetchone()
    if holder is None:
        return "readers"
    user, application, pid, seconds = holder
    since = f" for {seconds:.0f} s" if seconds is not None else ""
    return f"a query of {user} ({application or 'no name'}, process {pid},{since} already)".replace(",)", ")")


# Cleaning up


def schema_versions(connection: psycopg.Connection[Any]) -> dict[str, str]:
    """Version of each schema that salwa made, by its name."""
    rows = connection.execute(
        "select nspname, obj_description(oid, 'pg_namespace') from pg_namespace where obj_description(oid, 'pg_namespace') like %s",
        [f"{MARK}%"],
    ).fetchall()
    return {name: words.removeprefix(MARK) for name, words in rows}


def drop_leftovers(connection: psycopg.Connection[Any]) -> None:
    """Drop what a killed publish left, and retired schemas that a reader held on to.

    Raises:
        SalwaError: the killed publish is still at work in the server.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    for schema in SCHEMAS:
        while not drop_schema(connection, f"{schema}_next"):
            if time.monotonic() > deadline:
                raise SalwaError(
                    f"schema {schema}_next of a publish that was ended is still in use: refresh again later"
                )
            pause()
    drop_retired(connection)


def drop_retired(connection: psycopg.Connection[Any]) -> None:
    """Drop schemas that nobody is served from; what is still being read stays for the next time."""
    for name in schema_versions(connection):
        if re.fullmatch(r"(facts|marts)_retired_\w+", name):
            drop_schema(connection, name)


def drop_schema(connection: psycopg.Connection[Any], name: str) -> bool:
    """Drop it if it is there; False where somebody holds it."""
    try:
        with connection.transaction():
            connection.execute(f"set local lock_timeout = '{LONGEST_LOCK_MILLISECONDS}ms'")
            connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(name)))
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
        return False
    return True


# Small helpers


def run_all(connection: psycopg.Connection[Any], statements: Sequence[sql.Composable]) -> None:
    """Many statements in one round trip."""
    connection.execute(sql.SQL("; ").join(statements))


def value_of(connection: psycopg.Connection[Any], statement: Any, *parameters: Any) -> Any:
    """The one value that a query answers."""
    row = connection.execute(statement, parameters or None).fetchone()
    return row[0] if row else None


def pause() -> None:
    """Wait a little, never the same time twice, so that two who retry do not meet again and again."""
    time.sleep(PAUSE_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
