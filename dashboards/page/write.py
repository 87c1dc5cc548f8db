"""The page: one HTML file with the spec, the words, the cards' SQL and a database, which needs nothing else to be read."""

from __future__ import annotations

import base64
import gzip
import html
import json
import os
import re
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any, Literal

from dashboards.page.database import MOST_MESSAGES, first_date_that_fits, sqlite_sql, write_database
from dashboards.parameters import FILTERS
from dashboards.serving import Connection, query
from dashboards.spec import LANGUAGES, Card, Tab, all_cards, rows_tables, tabs, texts
from ingestion.errors import SalwaError

WEB = Path(__file__).parent / "web"
VENDOR = Path(__file__).parent / "vendor"
SCRIPTS = ("parameters.js", "words.js", "charts.js", "page.js")
RIGHT_TO_LEFT = {"ar"}
HOLE = re.compile(r"@(\w+)@")

CHOICES = {
    "channel": "select workspace, channel_name from facts.dim_channels group by 1, 2 order by 1, 2",
    "tag": "select workspace, tag from facts.fct_tags group by 1, 2 order by 1, 2",
    "agent": "select workspace, agent_name from facts.dim_agents where agent_name is not null group by 1, 2 order by 1, 2",
    # and which is the business's own
    "window": "select workspace, cast(window_days as double precision), is_default from facts.dim_attribution_windows order by 1, 2",
}


def write_page(
    serving: Connection,
    file: Path,
    language: str = "ar",
    digits: Literal["latin", "arabic"] = "latin",
    refresh_urls: Mapping[str, str] | None = None,
    most_messages: int = MOST_MESSAGES,
    is_private: bool = False,
) -> int:
    """Write the page to a file, in one step; returns its size in bytes.

    Args:
        serving: to a serving copy.
        language: of the first look; the page holds all.
        digits: of Arabic.
        refresh_urls: by language, where "Refresh" leads; without one there is none.
        most_messages: with more, the page holds the newest whole months that stay below.
        is_private: readable by its owner alone.
    """
    page = page_text(serving, language, digits, refresh_urls, most_messages).encode()
    if not file.parent.is_dir():
        raise SalwaError(f"{file.parent} is not a folder: make it first, or choose another --out")
    partial = file.with_name(f".{file.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as opened:
            if is_private:
                partial.chmod(0o600)
            opened.write(page)
        partial.replace(file)
    finally:
        with suppress(FileNotFoundError):
            partial.unlink()
    return len(page)


def page_text(
    serving: Connection,
    language: str = "ar",
    digits: Literal["latin", "arabic"] = "latin",
    refresh_urls: Mapping[str, str] | None = None,
    most_messages: int = MOST_MESSAGES,
) -> str:
    """The page as text, see `write_page`."""
    queries = {card.sql: card.text for card in all_cards()}
    cut_from = first_date_that_fits(serving, most_messages)
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "page.sqlite"
        write_database(serving, list(queries.values()), database, cut_from)
        packed = gzip.compress(database.read_bytes(), compresslevel=6, mtime=0)
    content = {
        "language": language,
        "digits": digits,
        "refreshUrls": refresh_urls or {},
        "cutFrom": cut_from and cut_from.isoformat(),
        "catalogues": {each: texts(each) for each in LANGUAGES},
        "tabs": [tab_content(tab) for tab in tabs()],
        "rows": {name: card_content(table) for name, table in rows_tables().items()},
        "cards": {name: sqlite_sql(text) for name, text in queries.items()},
        "filters": {
            each.name: {
                "name": each.name,
                "column": f'"{each.table.split(".")[1]}"."{each.column}"',
                "kind": each.kind,
            }
            for each in FILTERS.values()
        },
        **choices(serving, cut_from),
    }
    words = texts(language)["page"]
    return fill(
        (WEB / "page.html").read_text(encoding="utf-8"),
        {
            "lang": language,
            "dir": "rtl" if language in RIGHT_TO_LEFT else "ltr",
            "title": html.escape(words["title"]),
            "loading": html.escape(words["loading"]),
            "no_script": html.escape(words["no_script"]),
            "css": (WEB / "page.css").read_text(encoding="utf-8"),
            # what is data must not end its element
            "content": json.dumps(content, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c"),
            "wasm": base64.b64encode((VENDOR / "sql-wasm.wasm.gz").read_bytes()).decode(),
            "database": base64.b64encode(packed).decode(),
            "sqlite": (VENDOR / "sql-wasm.js").read_text(encoding="utf-8"),
            "script": "\n".join((WEB / name).read_text(encoding="utf-8") for name in SCRIPTS),
        },
    )


def fill(template: str, values: dict[str, str]) -> str:
    """The template with each @name@ replaced, once: what is put in is not looked at again."""
    return HOLE.sub(lambda found: values[found[1]], template)


def tab_content(tab: Tab) -> dict[str, Any]:
    return {"name": tab.name, "filters": tab.filters, "cards": [card_content(card) for card in tab.cards]}


def card_content(card: Card) -> dict[str, Any]:
    columns = {name: {"kind": column.kind, "labels": column.labels} for name, column in card.columns.items()}
    return {**card.model_dump(mode="json"), "filters": card.filters, "filters_behind": card.filters_behind, "columns": columns}


def choices(serving: Connection, cut_from: date | None) -> dict[str, Any]:
    """The businesses with their clocks, and what can be chosen in each filter."""
    businesses = query(
        serving,
        """
        select workspace, timezone, currency, week_start, cast(cast(as_of_local as date) as varchar) as today
        from facts.dim_workspaces
        order by workspace
        """,
    ).rows
    first_date = cut_from or query(serving, "select min(local_date) from facts.dim_dates").rows[0][0]
    return {
        "workspaces": [
            dict(zip(("name", "timezone", "currency", "week_start", "today"), row, strict=True)) for row in businesses
        ],
        "firstDate": first_date and first_date.isoformat(),
        "choices": {name: query(serving, text).rows for name, text in CHOICES.items()},
    }
