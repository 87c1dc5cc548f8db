"""Every card's SQL on DuckDB and on the page's SQLite: the same values, the marts' figures, and a word for all of it."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import SHOP_END

from dashboards.page.database import first_date_that_fits, sqlite_sql, write_database
from dashboards.parameters import FILTERS, card_sql, filled
from dashboards.serving import open_serving
from dashboards.spec import LANGUAGES, Card, all_cards, answers, rows_tables, tabs, texts

CARDS = all_cards()
FIGURES = [card for card in CARDS if card.figure]
QUERIES = {card.sql: card.text for card in CARDS}
MONTH = SHOP_END.replace(day=1)
RANGES = {
    "today": (SHOP_END, SHOP_END),
    "yesterday": (SHOP_END - timedelta(days=1), SHOP_END - timedelta(days=1)),
    "last 7 days": (SHOP_END - timedelta(days=7), SHOP_END - timedelta(days=1)),
    "last 30 days": (SHOP_END - timedelta(days=30), SHOP_END - timedelta(days=1)),
    "this month": (MONTH, SHOP_END),
    "last month": (date(2026, 10, 1), date(2026, 10, 31)),
    "custom": (date(2026, 10, 9), date(2026, 11, 3)),
    "from a day on": (date(2026, 11, 4), date(2100, 1, 1)),
    "until a day": (date(2000, 1, 1), date(2026, 10, 12)),
    "before all": (date(2020, 1, 1), date(2020, 1, 31)),
    "always": None,
}
FILTERED: dict[str, dict[str, list[str]]] = {
    "workspace": {"workspace": ["default"]},
    "channel": {"channel": ["WhatsApp Sales"]},
    "tag": {"tag": ["shipping"]},
    "agent": {"agent": ["AGENT"]},
    "all": {"workspace": ["default"], "channel": ["WhatsApp Sales"], "tag": ["shipping", "exchange"], "agent": ["AGENT"]},
    "nothing left": {"channel": ["WhatsApp Support"], "tag": ["shipping"]},
}
CASES = [
    *[pytest.param(dates, {}, id=f"{name}") for name, dates in RANGES.items()],
    *[
        pytest.param(RANGES[name], chosen, id=f"{name} by {which}")
        for which, chosen in FILTERED.items()
        for name in (("this month", "custom", "today") if which == "all" else ("this month",))
    ],
]


@pytest.fixture(scope="module")
def serving(shop) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_serving(shop[0]) as connection:
        yield connection


@pytest.fixture(scope="module")
def page_database(serving, tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    yield from opened(serving, tmp_path_factory.mktemp("page") / "page.sqlite", None)


def opened(serving: duckdb.DuckDBPyConnection, file: Path, first: date | None) -> Iterator[sqlite3.Connection]:
    assert write_database(serving, list(QUERIES.values()), file, first) > 0
    connection = sqlite3.connect(file)
    yield connection
    connection.close()


def on_duckdb(serving: duckdb.DuckDBPyConnection, text: str, chosen: dict[str, Any]) -> tuple[list[str], list[tuple]]:
    sql, values = filled(text, chosen)
    cursor = serving.execute(sql, values)
    return [column[0] for column in cursor.description], [tuple(map(plain, row)) for row in cursor.fetchall()]


def on_sqlite(database: sqlite3.Connection, text: str, chosen: dict[str, Any]) -> tuple[list[str], list[tuple]]:
    sql, values = filled(text, chosen)
    cursor = database.execute(
        sqlite_sql(sql), {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}
    )
    return [column[0] for column in cursor.description], cursor.fetchall()


def plain(value: Any) -> Any:
    """A value of DuckDB as SQLite keeps it, but for decimals."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, datetime):
        return value.replace(tzinfo=value.tzinfo or UTC).timestamp()
    return value.isoformat() if isinstance(value, date) else value


def same(rows: list[tuple], others: list[tuple]) -> bool:
    return len(rows) == len(others) and all(
        len(row) == len(other) and all(alike(one, two) for one, two in zip(row, other, strict=True))
        for row, other in zip(rows, others, strict=True)
    )


def alike(one: Any, two: Any) -> bool:
    """Whether two values are the same number or text; a decimal of DuckDB is rounded at its last place."""
    if isinstance(one, Decimal) and isinstance(two, int | float | Decimal):
        return abs(float(one) - float(two)) <= 0.5 * 10 ** int(one.as_tuple().exponent) + 1e-6
    if isinstance(one, int | float) and isinstance(two, int | float):
        return abs(one - two) <= 2e-6
    return one == two


def an_agent(serving: duckdb.DuckDBPyConnection) -> str:
    return serving.execute(
        "select agent_name from facts.dim_agents inner join facts.fct_messages using (agent_id) group by all order by count(*) desc limit 1"
    ).fetchone()[0]


@pytest.mark.parametrize(("dates", "chosen"), CASES)
def test_both_databases_answer_the_same(dates, chosen, serving, page_database) -> None:
    chosen = {name: [an_agent(serving)] if value == ["AGENT"] else value for name, value in chosen.items()}
    for name, text in QUERIES.items():
        wanted = {**chosen, "date": dates}
        names, rows = on_duckdb(serving, text, wanted)
        others, other_rows = on_sqlite(page_database, text, wanted)
        assert names == others == list(answers()[name]), name
        assert same(rows, other_rows), (name, rows[:3], other_rows[:3])


def test_the_months_that_fit_answer_as_the_whole(serving, tmp_path: Path) -> None:
    first = first_date_that_fits(serving, 9_000)
    assert first == MONTH
    whole = serving.execute("select count(*) from facts.fct_conversations").fetchone()[0]
    for database in opened(serving, tmp_path / "cut.sqlite", first):
        assert database.execute("select min(local_date) from dim_dates").fetchone()[0] == MONTH.isoformat()
        assert 0 < database.execute("select count(*) from fct_conversations").fetchone()[0] < whole
        for dates in (RANGES["today"], RANGES["this month"], (date(2026, 11, 3), date(2026, 11, 3))):
            for chosen in ({}, FILTERED["channel"], FILTERED["tag"]):
                for name, text in QUERIES.items():
                    names, rows = on_duckdb(serving, text, {**chosen, "date": dates})
                    _, others = on_sqlite(database, text, {**chosen, "date": dates})
                    if names[0] == "range_name":  # the range before may lie before the first month
                        rows, others = ([row for row in each if row[0] == "chosen"] for each in (rows, others))
                    assert same(rows, others), (name, dates, chosen, rows[:2], others[:2])


def test_everything_fits_unless_there_is_too_much(serving) -> None:
    messages = serving.execute("select count(*) from facts.fct_messages").fetchone()[0]
    assert first_date_that_fits(serving, messages) is None
    assert first_date_that_fits(serving, messages - 1) == date(2026, 10, 1)
    assert first_date_that_fits(serving, 1) == MONTH  # the newest month stands whatever its size


def test_figures_equal_the_mart(serving) -> None:
    """Each preset and channel: every figure of the chosen range and of the one before equals the mart's."""
    channels = dict(serving.execute("select channel, channel_name from facts.dim_channels").fetchall())
    compared = covered = 0
    for period, first, last in serving.execute("select period, from_date, to_date from facts.dim_periods").fetchall():
        for channel, name in {"all": None, **channels}.items():
            chosen = {"date": (first, last), "channel": name and [name]}
            names, rows = on_duckdb(serving, card_sql("figures"), chosen)
            by_range = {row[0]: dict(zip(names, row, strict=True)) for row in rows}
            found = serving.execute(
                "select * from marts.mart_summary_metrics where period = ? and channel = ?", [period, channel]
            )
            mart = dict(zip([column[0] for column in found.description], map(plain, found.fetchone()), strict=True))
            previous = by_range["previous"] if by_range["previous"]["is_covered"] else {}
            covered += bool(previous)
            for column, value in mart.items():
                bare = column.removeprefix("previous_")
                if bare == "unread_basis" or bare not in by_range["chosen"]:
                    continue
                wanted = by_range["chosen"][column] if bare == column else previous.get(bare)
                assert alike(value, wanted), (period, channel, column, value, wanted)
                compared += 1
    assert compared > 900
    assert covered >= 9


TIED = {
    # a card's columns, and the daily mart's that they add up to over the same dates
    "shop_figures": ("mart_sales_daily", {
        **{name: name for name in ("sales", "orders", "refunds", "refund_count", "net_sales", "reported_sales")},
        **{name: name for name in ("new_customers", "carts_abandoned", "carts_completed")},
        **{"assisted_orders": "assisted_orders_3d", "assisted_sales": "assisted_sales_3d"},
        **{name: name for name in ("assisted_sales_1d", "assisted_sales_7d", "assisted_sales_28d")},
    }),
    "shop_daily": ("mart_sales_daily", {"sales": "sales", "orders": "orders", "assisted_sales": "assisted_sales_3d"}),
    "shop_by_payment_method": ("mart_sales_daily", {"orders": "orders", "sales": "sales"}),
    "shop_by_hour": ("mart_sales_daily", {"orders": "orders", "assisted_orders": "assisted_orders_3d"}),
    "tag_summary": ("mart_tag_daily", {"applications": "applications"}),
    "tag_usage": ("mart_tag_daily", {"applications": "applications"}),
    "tag_actors": ("mart_tag_daily", {"applications": "applications"}),
    "agent_replies": ("mart_agent_daily", {"replies": "replies"}),
    "campaign_summary": ("mart_campaign_daily", {
        name: name for name in ("sent", "delivered", "read", "failed", "replied", "orders_after", "sales_after")
    }),
    "campaign_hours": ("mart_campaign_daily", {"sent": "sent", "replied": "replied"}),
}  # fmt: skip


@pytest.mark.parametrize("card", TIED)
# the second crosses a month and holds a campaign too
@pytest.mark.parametrize("dates", [RANGES["this month"], (date(2026, 10, 5), RANGES["this month"][1])])
def test_a_card_adds_up_to_the_daily_mart(dates, card: str, serving) -> None:
    mart, columns = TIED[card]
    rows = chosen_rows(serving, card, dates)
    for ours, theirs in columns.items():
        (wanted,) = serving.execute(
            f"select coalesce(sum({theirs}), 0) from marts.{mart} where local_date between ? and ?", list(dates)
        ).fetchone()
        assert float(sum(row[ours] or 0 for row in rows)) == pytest.approx(float(wanted), abs=1e-4), (card, ours)
    assert rows


@pytest.mark.parametrize("dates", [RANGES["this month"], RANGES["custom"]])
def test_the_team_adds_up_to_the_headline_figures(dates, serving) -> None:
    """With the row of what nobody is named for."""
    team = chosen_rows(serving, "agent_summary", dates)
    (figures_of_range,) = chosen_rows(serving, "figures", dates)
    assert sum(row["replies"] for row in team) == figures_of_range["agent_messages"] > 0
    assert sum(row["answered_turns"] for row in team) == figures_of_range["answered_turns"] > 0


def chosen_rows(serving: duckdb.DuckDBPyConnection, card: str, dates: tuple[date, date]) -> list[dict[str, Any]]:
    names, rows = on_duckdb(serving, card_sql(card), {"date": dates})
    found = [dict(zip(names, row, strict=True)) for row in rows]
    return [row for row in found if row.get("range_name", "chosen") == "chosen"]


@pytest.mark.parametrize(("dates", "chosen"), CASES)
def test_the_rows_behind_a_figure_are_as_many_as_it_says(dates, chosen, serving) -> None:
    chosen = {name: [an_agent(serving)] if value == ["AGENT"] else value for name, value in chosen.items()} | {"date": dates}
    answered = {
        name: [dict(zip(names, row, strict=True)) for row in rows]
        for name in {*(card.sql for card in FIGURES), *rows_tables()}
        for names, rows in [on_duckdb(serving, QUERIES[name], chosen)]
    }
    for card in FIGURES:
        figure = card.figure
        (told,) = (row for row in answered[card.sql] if row["range_name"] == "chosen")
        behind = [row for row in answered[figure.rows] if not figure.rows_where or row[figure.rows_where]]
        assert len(behind) == sum(told[name] for name in figure.rows_count or (figure.value,)), card.name
        for column, value in SUMS.get(card.name, {}).items():
            assert sum(row[column] or 0 for row in behind) == (told[value] or 0), (card.name, column)
    rows, (told,) = answered["conversation_rows"], (row for row in answered["figures"] if row["range_name"] == "chosen")
    assert sum(row["is_new"] for row in rows) == told["new_conversations"]
    assert sum(row["is_closed"] and row["is_left_unanswered"] for row in rows) == told["ended_unanswered"]
    waits = [row["wait_seconds"] for row in rows if row["is_waiting"]]
    assert alike(told["oldest_wait_seconds"], max(waits, default=None))
    assert waits == sorted(waits, reverse=True)  # who waits longest comes first


# what the rows add up to, by the figure: column of the rows, column of the figures
SUMS: dict[str, dict[str, str]] = {
    "messages_per_conversation": {"customer_messages": "customer_messages", "agent_messages": "agent_messages"},
    "unique_customers": {"customer_messages": "customer_messages"},
    "assisted_sales": {"total": "assisted_sales"},
    "sales": {"total": "sales"},
    "net_sales": {"amount": "net_sales"},
}


def test_every_figure_leads_to_rows_that_are_there(serving) -> None:
    used = set()
    for card in FIGURES:
        table = rows_tables()[card.figure.rows]
        where = card.figure.rows_where
        assert not where or table.columns[where].kind == "flag", card.name
        assert all(card.columns[name].kind == "count" for name in card.figure.rows_count or (card.figure.value,)), card.name
        assert set(card.filters) == set(table.filters) or card.sql == "shop_figures", card.name
        used.add(table.name)
    assert used == set(rows_tables())
    for table in rows_tables().values():
        assert not table.link or table.columns[table.link].kind == "link"
        assert len(table.columns) == len(on_duckdb(serving, table.text, {})[0])


def words_of(card: Card) -> list[tuple[str, str]]:
    """The (group, key) in texts that a card needs."""
    needs = [("titles", card.name), ("descriptions", card.name)]
    shown = [*card.shows, *([card.link] if card.link else [])]
    if card.chart:
        shown += [card.chart.x, *card.chart.y, *([card.chart.rows] if card.chart.rows else [])]
    if card.figure:
        needs += [("notes", note) for note in card.figure.notes]
    if card.display == "sentence":
        needs.append(("sentences", card.name))
    elif not card.figure or card.columns[card.figure.value].kind in ("seconds", "share", "number"):
        needs.append(("empty", card.name))
    return needs + [("columns", name) for name in shown]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_a_card_needs_is_there(language: str) -> None:
    catalogue = texts(language)
    for card in CARDS:
        for group, key in words_of(card):
            assert catalogue.get(group, {}).get(key), (card.name, group, key)
        for column in card.columns.values():
            assert not column.labels or catalogue[column.labels], column
        used = [*card.shows, *([card.figure.value] if card.figure else []), *(card.chart.y if card.chart else ())]
        assert set(used) <= set(card.columns), card.name
    for tab in tabs():
        assert catalogue["tabs"][tab.name]
        assert all(catalogue["filters"][name] for name in tab.filters)
        assert set(tab.filters) <= set(FILTERS)


PLURALS = {"ar": {"zero", "one", "two", "few", "many", "other"}, "en": {"one", "other"}, "fr": {"one", "many", "other"}}
FORM = re.compile(r"\.(zero|one|two|few|many|other)$")


def keys(language: str) -> dict[tuple[str, str], dict[str, str]]:
    """Texts by group and key without plural forms, each with its forms ("" where it has one for all)."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for group, words in texts(language).items():
        for key, text in words.items():
            form = FORM.search(key)
            found.setdefault((group, FORM.sub("", key)), {})[form[1] if form else ""] = text
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogues_have_the_same_keys_and_all_their_plurals(language: str) -> None:
    english, own = keys("en"), keys(language)
    assert own.keys() == english.keys()
    for key, forms in own.items():
        placeholders = set(re.findall(r"\{(\w+)\}", next(iter(english[key].values()))))
        for text in forms.values():
            assert text.strip(), key
            found = set(re.findall(r"\{(\w+)\}", text))
            # "ساعة" says one hour without a number
            assert found == placeholders or (len(forms) > 1 and found < placeholders), (key, text)
        assert set(forms) - {""} in (set(), PLURALS[language]), key
