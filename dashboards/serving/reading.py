"""One way to ask both kinds of serving, so that a card's SQL is written once.

SQL names its parameters $like_this. Beyond what both engines share, three things are made equal here: how parameters are
given, that whole numbers come back as int whatever the engine sums them in, and the time zone, UTC. Left to the SQL: say
`nulls last` after `desc`, and cast where one engine would guess.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

import duckdb

from ingestion.errors import SalwaError

if TYPE_CHECKING:
    import psycopg

Connection: TypeAlias = "duckdb.DuckDBPyConnection | psycopg.Connection[Any]"

# texts, quoted names and comments are left alone; what remains is a parameter
PARAMETER = re.compile(r"""('(?:[^']|'')*'|"[^"]*"|--[^\n]*|/\*.*?\*/)|(?<![\w$])\$([a-z_]\w*)""", re.DOTALL)


class NothingPublished(SalwaError):
    """There is no serving copy yet."""


@dataclass(frozen=True)
class Rows:
    """What a query answered."""

    names: tuple[str, ...]
    rows: list[tuple[Any, ...]]

    def as_dicts(self) -> list[dict[str, Any]]:
        return [dict(zip(self.names, row, strict=True)) for row in self.rows]


def query(connection: Connection, sql: str, parameters: Mapping[str, Any] | None = None) -> Rows:
    """The answer of either kind of serving, the same values on both.

    Args:
        connection: of open_serving.
        sql: with parameters as $name; a part of it may use only some of the parameters.
        parameters: texts, dates, numbers or None, by name.
    """
    given = {name: (parameters or {})[name] for name in parameters_of(sql)}
    if isinstance(connection, duckdb.DuckDBPyConnection):
        cursor: Any = connection.execute(sql, given)
    else:
        cursor = connection.execute(psycopg_text(sql), given)
    names = tuple(column[0] for column in cursor.description or ())
    return Rows(names, [tuple(plain_number(value) for value in row) for row in cursor.fetchall()])


def parameters_of(sql: str) -> set[str]:
    return {found[2] for found in PARAMETER.finditer(sql) if found[2]}


def psycopg_text(sql: str) -> str:
    """$name as psycopg writes it, and every other percent sign as itself."""
    return PARAMETER.sub(lambda found: f"%({found[2]})s" if found[2] else found[0], sql.replace("%", "%%"))


def plain_number(value: Any) -> Any:
    """A decimal without places is a whole number: PostgreSQL sums bigint in numeric, DuckDB in hugeint."""
    if isinstance(value, Decimal) and value.is_finite() and value.as_tuple().exponent == 0:
        return int(value)
    return value


def serving_version(connection: Connection) -> dict[str, Any] | None:
    """{"version", "as_of", "published_at"} of what is served; None of a copy older than this table."""
    known = query(
        connection,
        "select table_name from information_schema.tables where table_schema = 'marts' and table_name = 'serving_version'",
    )
    if not known.rows:
        return None
    found = query(connection, "select version, as_of, published_at from marts.serving_version").as_dicts()
    return found[0] if found else None
