"""Serving as a PostgreSQL database, for a team and for Metabase.

A version is loaded whole into the schemas facts_next and marts_next, which nobody but the publisher sees, and becomes
facts and marts by renaming, in one transaction. The version before stays as facts_previous and marts_previous, out of the
readers' sight; the one before that is dropped.
How one is switched to the other is in postgres_versions.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import duckdb
import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from dashboards.serving.notes import Note
from dashboards.serving.postgres_versions import (
    MARK,
    demote,
    drop_leftovers,
    drop_retired,
    only_publisher,
    promote,
    readable_by,
    run_all,
    schema_versions,
    switch,
    value_of,
)
from dashboards.serving.reading import NothingPublished
from dashboards.serving.tables import SCHEMAS, Table, served_tables
from ingestion.errors import SalwaError

OLDEST_VERSION = 150000  # unique nulls not distinct
VERSION_COLUMNS = {
    "version": ("text", "Name of the published version, the time of its publication."),
    "as_of": ("timestamptz", "The instant these numbers are of."),
    "published_at": ("timestamptz", "When readers could see this version first."),
}


def publish(
    url: str,
    role: str,
    warehouse: Path,
    manifest: Mapping[str, Any],
    version: str,
    published_at: datetime,
    notes: Sequence[Note] = (),
) -> None:
    """Load the warehouse into new schemas and switch to them.

    Args:
        role: who may read; made if there is none.

    Raises:
        SalwaError: PostgreSQL cannot be reached or refuses, or a reader did not let go; the last version is served on.
    """
    with in_plain_words(url), connect(url) as connection, only_publisher(connection):
        require_usable(connection)
        require_role(connection, role)
        drop_leftovers(connection)
        with duckdb.connect(str(warehouse)) as source:
            source.execute("set TimeZone = 'UTC'")
            tables = served_tables(source, manifest)
            create_next(connection, tables, version, notes)
            fill_next(url, source, tables)
            sign_next(connection, source, version, published_at)
        write_notes(connection, "marts_next", notes)
        finish_next(connection, tables)
        grant_next(connection, role)
        switch(connection, partial(promote, connection, role, version))
        drop_retired(connection)


def rollback(url: str, role: str) -> str:
    """Switch to the version before the current one and drop that; returns the name of what is served now.

    Raises:
        SalwaError: there is nothing older, or a reader did not let go.
    """
    with in_plain_words(url), connect(url) as connection, only_publisher(connection):
        require_usable(connection)
        served = schema_versions(connection)
        if "facts" not in served:
            raise nothing_published()
        if "facts_previous" not in served:
            raise SalwaError(f"there is nothing older than {served['facts']} to go back to")
        switch(connection, partial(demote, connection, role, served["facts"]))
        drop_retired(connection)
        return served["facts_previous"]


def drop_older(url: str) -> None:
    """Drop every version but the one that is served; readers see none of them.

    Raises:
        SalwaError: PostgreSQL cannot be reached or refuses.
    """
    with in_plain_words(url), connect(url) as connection, only_publisher(connection):
        require_usable(connection)
        drop_leftovers(connection)
        for schema in SCHEMAS:
            connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(f"{schema}_previous")))


def open_copy(url: str) -> psycopg.Connection[Any]:
    """A connection that can only read, times in UTC. Parameters are put in by the client, as Metabase does.

    Raises:
        NothingPublished: nothing has been published yet.
        SalwaError: PostgreSQL cannot be reached.
    """
    with in_plain_words(url):
        connection = connect(url, cursor_factory=psycopg.ClientCursor)
        connection.execute("set default_transaction_read_only = on")
        found = connection.execute("select to_regclass('marts.serving_version') is not null").fetchone()
        if not found or not found[0]:
            connection.close()
            raise nothing_published()
        return connection


def nothing_published() -> NothingPublished:
    return NothingPublished(
        "nothing has been published in the database of SALWA_SERVING_URL yet: run `salwa refresh` first"
    )


# Reaching it


def connect(url: str, **options: Any) -> psycopg.Connection[Any]:
    """A connection in which each statement is its own transaction unless said otherwise, times in UTC."""
    require_readable(url)
    connection = psycopg.connect(url, autocommit=True, connect_timeout=15, application_name="salwa", **options)
    connection.execute("set TimeZone = 'UTC'")
    return connection


def require_readable(url: str) -> None:
    """Refuse what a driver would misread, because it would then print a part of the password.

    Raises:
        SalwaError: without a word of the URL.
    """
    example = "postgresql://user:password@host:5432/database, special characters of the password as %40 and so on"
    parts = urlsplit(url)
    try:
        is_good = (
            parts.scheme in ("postgresql", "postgres")
            and url.count("@") <= 1
            and url.count("@") == parts.netloc.count("@")
        )
        is_good = is_good and (parts.port is None or parts.port > 0)
        conninfo_to_dict(url)
    except (ValueError, psycopg.Error):
        is_good = False
    if not is_good:
        raise SalwaError(f"SALWA_SERVING_URL cannot be read: it looks like {example}")


@contextmanager
def in_plain_words(url: str) -> Iterator[None]:
    """Turns what the drivers raise into one line without the password."""
    from adbc_driver_manager import Error as AdbcError

    try:
        yield
    except (psycopg.Error, AdbcError) as error:
        text = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise SalwaError(f"PostgreSQL (SALWA_SERVING_URL): {without_password(text, url)}") from None


def without_password(text: str, url: str) -> str:
    secret = str(conninfo_to_dict(url).get("password") or "")
    for written in {secret, quote(secret), quote(secret, safe=""), unquote(secret)} - {""}:
        text = text.replace(written, "***")
    return text


def require_usable(connection: psycopg.Connection[Any]) -> None:
    """Refuse a server that is too old, and schemas that somebody else made.

    Raises:
        SalwaError: says what to do.
    """
    if connection.info.server_version < OLDEST_VERSION:
        raise SalwaError(
            f"PostgreSQL {connection.info.server_version // 10000} is too old for serving: 15 or newer is needed"
        )
    names = [f"{schema}{suffix}" for schema in SCHEMAS for suffix in ("", "_next", "_previous")]
    foreign = [
        name
        for (name,) in connection.execute(
            "select nspname from pg_namespace where nspname = any(%s)", [names]
        ).fetchall()
        if name not in schema_versions(connection)
    ]
    if foreign:
        raise SalwaError(
            f"the database of SALWA_SERVING_URL has a schema {sorted(foreign)[0]} that salwa did not make: "
            "give salwa a database of its own"
        )


def require_role(connection: psycopg.Connection[Any], role: str) -> None:
    """Make the role that readers are members of, if there is none.

    Raises:
        SalwaError: it is missing and may not be made.
    """
    if value_of(connection, "select count(*) from pg_roles where rolname = %s", role):
        return
    try:
        connection.execute(sql.SQL("create role {} nologin").format(sql.Identifier(role)))
    except psycopg.errors.InsufficientPrivilege:
        raise SalwaError(
            f"PostgreSQL has no role {role} and {connection.info.user} may not make it: let an administrator run "
            f"`create role {role} nologin`, or name another one in SALWA_SERVING_ROLE"
        ) from None
    except psycopg.errors.DuplicateObject:
        pass  # made by somebody else just now


# Loading


def create_next(
    connection: psycopg.Connection[Any], tables: Sequence[Table], version: str, notes: Sequence[Note]
) -> None:
    """Empty tables with exact types, and what they mean as comments."""
    with connection.transaction():
        statements = [
            statement
            for schema in SCHEMAS
            for statement in (
                sql.SQL("create schema {}").format(sql.Identifier(f"{schema}_next")),
                sql.SQL("comment on schema {} is {}").format(
                    sql.Identifier(f"{schema}_next"), sql.Literal(MARK + version)
                ),
            )
        ]
        for table in tables:
            columns = {column.name: (column.postgres_type, column.description) for column in table.columns}
            statements += table_statements(next_name(table), columns, table.description)
        statements += table_statements(
            sql.Identifier("marts_next", "serving_version"), VERSION_COLUMNS, "Which version this is; one row."
        )
        for note in notes:
            statements += table_statements(sql.Identifier("marts_next", note.name), note.columns, note.description)
        run_all(connection, statements)


def table_statements(
    name: sql.Identifier, columns: Mapping[str, tuple[str, str]], description: str
) -> Iterator[sql.Composable]:
    yield sql.SQL("create table {} ({})").format(
        name,
        sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(kind))  # type: ignore[arg-type]
            for column, (kind, _) in columns.items()
        ),
    )
    yield sql.SQL("comment on table {} is {}").format(name, sql.Literal(description))
    for column, (_, words) in columns.items():
        yield sql.SQL("comment on column {}.{} is {}").format(name, sql.Identifier(column), sql.Literal(words))


def fill_next(url: str, source: duckdb.DuckDBPyConnection, tables: Sequence[Table]) -> None:
    """Copy all rows, as Arrow in, as PostgreSQL's binary COPY out; nothing is written as text in between.

    Raises:
        SalwaError: fewer or more rows arrived than there are.
    """
    import adbc_driver_postgresql.dbapi as adbc

    with adbc.connect(url) as target, target.cursor() as cursor:
        cursor.execute("set statement_timeout = 0")
        for table in tables:
            rows = source.execute(select_of(table)).to_arrow_reader(100_000)
            written = cursor.adbc_ingest(table.name, rows, mode="append", db_schema_name=f"{table.schema}_next")
            expected = source.execute(f"select count(*) from {table.schema}.{table.name}").fetchone()
            if expected is None or written != expected[0]:
                raise SalwaError(f"{written} of {expected} rows of {table.schema}.{table.name} arrived in PostgreSQL")
        target.commit()


def select_of(table: Table) -> str:
    """All rows as they go to PostgreSQL, whose text cannot hold the character 0."""
    columns = (
        f"""replace("{column.name}", chr(0), '') as "{column.name}\""""
        if column.duckdb_type == "VARCHAR"
        else f'"{column.name}"'
        for column in table.columns
    )
    return f'select {", ".join(columns)} from {table.schema}."{table.name}"'


def sign_next(
    connection: psycopg.Connection[Any], source: duckdb.DuckDBPyConnection, version: str, published_at: datetime
) -> None:
    """Write into the new schemas which version they are."""
    as_of = source.execute("select max(as_of) from facts.dim_workspaces").fetchone()
    connection.execute(
        "insert into marts_next.serving_version values (%s, %s, %s)",
        [version, as_of[0] if as_of else None, published_at],
    )


def renew_notes(url: str, notes: Sequence[Note]) -> None:
    """Put these notes into the version that is served.

    Raises:
        SalwaError: PostgreSQL cannot be reached.
    """
    with in_plain_words(url), connect(url) as connection, only_publisher(connection):
        if "marts" in schema_versions(connection):
            write_notes(connection, "marts", notes)


def write_notes(connection: psycopg.Connection[Any], schema: str, notes: Sequence[Note]) -> None:
    with connection.transaction(), connection.cursor() as cursor:
        for note in notes:
            table = sql.Identifier(schema, note.name)
            places = sql.SQL(", ").join([sql.Placeholder()] * len(note.columns))
            cursor.execute(sql.SQL("delete from {}").format(table))
            cursor.executemany(sql.SQL("insert into {} values ({})").format(table, places), note.rows)


def finish_next(connection: psycopg.Connection[Any], tables: Sequence[Table]) -> None:
    """Keys, indexes and the planner's statistics, after the rows because that is faster."""
    for table in tables:
        name = next_name(table)
        statements: list[sql.Composable] = []
        for key in table.keys:
            columns = names_of(key)
            if key == table.keys[0] and not has_nulls(connection, name, key):
                statements.append(sql.SQL("alter table {} add primary key ({})").format(name, columns))
            else:
                # dbt's test takes two nulls for the same, and so does this
                statements.append(sql.SQL("create unique index on {} ({}) nulls not distinct").format(name, columns))
        statements += [sql.SQL("create index on {} ({})").format(name, names_of(index)) for index in table.indexes]
        statements.append(sql.SQL("analyze {}").format(name))
        run_all(connection, statements)


def has_nulls(connection: psycopg.Connection[Any], name: sql.Identifier, key: Sequence[str]) -> bool:
    some = sql.SQL(" or ").join(sql.SQL("{} is null").format(sql.Identifier(column)) for column in key)
    return bool(value_of(connection, sql.SQL("select exists (select from {} where {})").format(name, some)))


def grant_next(connection: psycopg.Connection[Any], role: str) -> None:
    for schema in SCHEMAS:
        run_all(connection, readable_by(f"{schema}_next", role))


# Small helpers


def next_name(table: Table) -> sql.Identifier:
    return sql.Identifier(f"{table.schema}_next", table.name)


def names_of(columns: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(column) for column in columns)
