"""The page's own database: what its cards read, as one SQLite file.

The page runs the very SQL of the cards, so any range and any filter are exact without a server. SQLite knows no
schemas within a file, no dates and no instants: tables go without their schema's name, dates as ISO text, instants as
seconds since 1970, truth as 0 and 1. Ids become small numbers: they only join, and nobody reads them.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from dashboards.parameters import FILTERS
from dashboards.serving import Connection, query

TABLE = re.compile(r"\b(facts|marts)\.(\w+)")
QUOTED = re.compile(r'"(?:facts|marts)"\."(\w+)"\."(\w+)"')
SECONDS = re.compile(r"extract\(epoch from ([\w.]+) - ([\w.]+)\)")
MOST_MESSAGES = 300_000  # more make a page that opens slowly: about 15 MB

# With a first date, what no range from it on can count is left out: days before it, messages before it, and of
# conversations those that had no message, were not open, not unread and not unanswered since, and that no order came after.
CUT_CONVERSATIONS = """
with starts as (
    select workspace, min(starts_at) as starts_at
    from facts.dim_dates
    where local_date >= $first
    group by workspace
),

kept as (
    select messages.conversation_id
    from facts.fct_messages as messages
    inner join starts on messages.workspace = starts.workspace and messages.sent_at >= starts.starts_at

    union

    select status.conversation_id
    from facts.fct_conversation_status as status
    inner join facts.fct_conversations as conversations on status.conversation_id = conversations.conversation_id
    inner join starts on conversations.workspace = starts.workspace
    where (status.status = 'open' or status.from_at >= starts.starts_at)
        and (status.to_at is null or status.to_at >= starts.starts_at)

    union

    select spans.conversation_id
    from facts.fct_unread_spans as spans
    inner join facts.fct_conversations as conversations on spans.conversation_id = conversations.conversation_id
    inner join starts on conversations.workspace = starts.workspace
    where spans.to_at is null or spans.to_at >= starts.starts_at

    union

    select turns.conversation_id
    from facts.fct_turns as turns
    inner join starts on turns.workspace = starts.workspace
    where turns.answered_at is null or turns.answered_at >= starts.starts_at

    union

    select episodes.conversation_id
    from facts.fct_episodes as episodes
    inner join starts on episodes.workspace = starts.workspace
    where episodes.closed_at >= starts.starts_at

    union

    select orders.conversation_id
    from facts.fct_orders as orders
    inner join starts on orders.workspace = starts.workspace and orders.ordered_at >= starts.starts_at
)

select conversation_id
from kept
where conversation_id is not null
"""
OF_CONVERSATIONS = f"where conversation_id in ({CUT_CONVERSATIONS})"
SINCE = "where local_date >= $first"
CUT = {
    "facts.dim_dates": SINCE,
    "marts.mart_daily_metrics": SINCE,
    "marts.mart_hourly_metrics": SINCE,
    # and who of the team wrote before an order
    "facts.fct_messages": """
        where sent_local_date >= $first
            or (author_type = 'agent' and conversation_id in (
                select conversation_id from facts.fct_orders where ordered_local_date >= $first
            ))
        """,
    "facts.fct_conversations": OF_CONVERSATIONS,
    "facts.fct_conversation_status": OF_CONVERSATIONS,
    "facts.fct_unread_spans": OF_CONVERSATIONS,
    "facts.fct_turns": OF_CONVERSATIONS,
    "facts.fct_episodes": OF_CONVERSATIONS,
    "facts.fct_tags": OF_CONVERSATIONS,
}


def sqlite_sql(sql: str) -> str:
    """A card's SQL as SQLite takes it; parameters stay as they are."""
    return TABLE.sub(r"\2", SECONDS.sub(r"(\1 - \2)", QUOTED.sub(r'"\1"."\2"', sql)))


def tables_of(sql_texts: Iterable[str]) -> list[str]:
    """Names, with schemas, of the tables that these texts read."""
    return sorted({f"{schema}.{table}" for text in sql_texts for schema, table in TABLE.findall(text)})


def first_date_that_fits(serving: Connection, most_messages: int) -> date | None:
    """The first day of the oldest month from which on there are at most so many messages; None if all fit."""
    months = query(
        serving,
        """
        select cast(date_trunc('month', sent_local_date) as date) as month, count(*) as messages
        from facts.fct_messages
        group by 1
        order by 1 desc
        """,
    ).rows
    if sum(messages for _month, messages in months) <= most_messages:
        return None
    total, first = 0, months[0][0]
    for month, messages in months:
        total += messages
        if total > most_messages:
            break
        first = month
    return first


def write_database(
    serving: Connection, sql_texts: list[str], file: Path, first: date | None = None
) -> int:
    """Write the tables these texts read, with the columns they name; returns the number of rows.

    A column is taken when its name stands anywhere in the texts, all columns of a filter included. With a first date
    the file answers ranges from it on.
    """
    words = {word for text in sql_texts for word in re.findall(r"\w+", text)} | {each.column for each in FILTERS.values()}
    file.unlink(missing_ok=True)
    rows = 0
    numbers: dict[str, int] = {}  # an id's number is the same in every table and column
    with sqlite3.connect(file) as target:
        for table in tables_of(sql_texts):
            rows += copy_table(serving, target, table, words, numbers, first)
    target.execute("vacuum")
    target.close()
    return rows


def copy_table(
    serving: Connection,
    target: sqlite3.Connection,
    table: str,
    words: set[str],
    numbers: dict[str, int],
    first: date | None = None,
) -> int:
    schema, bare = table.split(".")
    described = query(
        serving,
        "select column_name, data_type from information_schema.columns "
        "where table_schema = $schema and table_name = $name order by ordinal_position",
        {"schema": schema, "name": bare},
    ).rows
    columns = [(name, kind.lower()) for name, kind in described if name in words]
    target.execute(f"create table {bare} ({', '.join(f'{name} {sqlite_type(name, kind)}' for name, kind in columns)})")
    where = CUT.get(table, "") if first else ""
    taken_columns = ", ".join(taken(name, kind) for name, kind in columns)
    rows = [list(row) for row in query(serving, f"select {taken_columns} from {table} {where}", {"first": first}).rows]
    ids = [number for number, (name, _kind) in enumerate(columns) if name.endswith("_id")]
    for row in rows:
        for number in ids:
            if row[number] is not None:
                row[number] = numbers.setdefault(row[number], len(numbers))
    target.executemany(f"insert into {bare} values ({', '.join('?' * len(columns))})", rows)
    for name, _kind in columns:
        if name == "conversation_id":
            target.execute(f"create index {bare}_{name} on {bare} ({name})")
    return len(rows)


def sqlite_type(name: str, kind: str) -> str:
    if name.endswith("_id") or kind in ("boolean", "bigint", "integer"):
        return "integer"
    if kind.startswith(("timestamp with", "decimal", "numeric", "double")):
        return "real"
    return "text"


def taken(name: str, kind: str) -> str:
    """A column as SQLite keeps it."""
    if kind == "timestamp with time zone":
        return f"cast(extract(epoch from {name}) as double precision) as {name}"
    if kind.startswith(("decimal", "numeric")):
        return f"cast({name} as double precision) as {name}"
    if kind == "boolean":
        return f"cast({name} as integer) as {name}"
    if kind == "date" or kind.startswith("timestamp"):
        return f"cast({name} as varchar) as {name}"
    return name
