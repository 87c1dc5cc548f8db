"""How long each card takes for a month, on both kinds of serving and asked of an inbox's raw messages."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from benchmarks import inbox
from benchmarks.webhooks import END, ZONE

DAYS = 30
RUNS = 20
RIVAL_RUNS = 5
SAME = ("total_conversations", "new_conversations", "open_conversations", "unread_conversations", "messages",
        "customer_messages", "agent_messages", "unique_customers", "answered_turns", "avg_response_seconds")  # fmt: skip


def month() -> tuple[date, date]:
    """The last thirty days that are told of."""
    return END - timedelta(days=DAYS - 1), END


def month_instants() -> dict[str, datetime]:
    """The same in UTC, without a zone, as an inbox keeps times."""
    first, last = (datetime.combine(day, datetime.min.time(), ZoneInfo(ZONE)) for day in (month()[0], month()[1] + timedelta(days=1)))
    return {"from_at": first.astimezone(UTC).replace(tzinfo=None), "until_at": last.astimezone(UTC).replace(tzinfo=None)}


def card_names() -> list[str]:
    """The SQL behind every card that a date chooses and whose source is WhatsApp alone."""
    from dashboards.spec import tabs

    shown = [tab for tab in tabs() if tab.name in ("conversations", "team", "campaigns")]
    return sorted({card.sql for tab in shown for card in tab.cards})


def measure_cards(data: Path, url: str) -> dict[str, Any]:
    """Milliseconds of each run, by card and by where it was asked.

    Args:
        data: a data folder whose warehouse is published as a DuckDB file.
        url: of an empty PostgreSQL database.

    Raises:
        SystemExit: the inbox's answers are other ones.
    """
    import duckdb
    import psycopg

    from dashboards.parameters import card_sql, filled
    from dashboards.serving import open_serving, publish, query
    from ingestion.settings import Settings
    from orchestration.compiling import manifest

    served_by_postgres = Settings(data=data, serving_url=url, _env_file=None)  # type: ignore[call-arg, arg-type]
    publish(served_by_postgres, manifest())
    with psycopg.connect(url, autocommit=True) as filling:
        filling.execute("create schema inbox; set search_path to inbox")
        messages = inbox.fill(filling, data / "warehouse.duckdb", data)

    files = open_serving(Settings(data=data, _env_file=None))  # type: ignore[call-arg]
    database = open_serving(served_by_postgres)
    raw = psycopg.connect(url, autocommit=True)
    raw.execute("set search_path to inbox; set work_mem = '64MB'")
    assert isinstance(files, duckdb.DuckDBPyConnection)
    chosen = {"date": month(), "workspace": ["default"]}
    found: dict[str, dict[str, list[float]]] = {}
    answers: dict[str, Any] = {}
    for number in range(RUNS):
        for name in card_names():
            sql, values = filled(card_sql(name), chosen)
            asked: dict[str, Callable[[], Any]] = {
                "duckdb": lambda sql=sql, values=values: query(files, sql, values),
                "postgres": lambda sql=sql, values=values: query(database, sql, values),
            }
            if name in inbox.CARDS and number < RIVAL_RUNS:
                rival = inbox.card_sql(name)
                asked["inbox"] = lambda rival=rival: raw.execute(rival, month_instants()).fetchall()
            for where, ask in asked.items():
                began = time.perf_counter()
                answer = ask()
                found.setdefault(name, {}).setdefault(where, []).append((time.perf_counter() - began) * 1000)
                answers[f"{name} {where}"] = answer
    require_same(answers, raw)
    return {"messages": messages, "cards": found}


def require_same(answers: dict[str, Any], raw: Any) -> None:
    """The inbox and salwa answer the same, or the comparison is worth nothing.

    Raises:
        SystemExit: says in what they differ.
    """
    names = [column.name for column in raw.execute(inbox.card_sql("figures"), month_instants()).description]
    theirs = dict(zip(names, answers["figures inbox"][0], strict=True))
    for where in ("duckdb", "postgres"):
        ours = next(row for row in answers[f"figures {where}"].as_dicts() if row["range_name"] == "chosen")
        differing = {name: (ours[name], theirs[name]) for name in SAME if abs(float(ours[name]) - float(theirs[name])) > 1e-5}
        if differing:
            raise SystemExit(f"the inbox's answers are other ones than those of {where}: {differing}")
