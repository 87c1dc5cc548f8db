"""Every card's SQL on DuckDB and on the page's SQLite: the same values, the marts' figures, and a word for all of it."""

from __future__ import annotations

import re
import shutil
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
from dashboards.serving import CURRENT, open_serving
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
    "window": {"window": [7]},
    "all": {"workspace": ["default"], "channel": ["WhatsApp Sales"], "tag": ["shipping", "exchange"], "agent": ["AGENT"], "window": [1]},
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
        connection.execute("set threads = 1")  # to divide so little work takes a quarter more
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
        **{name: name for name in ("assisted_sales_1d", "assisted_sales_3d", "assisted_sales_7d", "assisted_sales_28d")},
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


@pytest.mark.parametrize("dates", [RANGES["this month"], RANGES["custom"]])
@pytest.mark.parametrize("days", [None, 1, 3, 7, 28])
def test_a_window_is_a_filter_on_the_gap(days: int | None, dates, serving) -> None:
    """Every card of the shop that says "after a chat" agrees with the marts' own column for the window; none means 3."""
    chosen = {"date": dates, **({"window": [days]} if days else {})}
    count, money = serving.execute(
        f"select sum(assisted_orders_{days or 3}d), sum(assisted_sales_{days or 3}d) from marts.mart_sales_daily "
        "where local_date between ? and ?", list(dates),
    ).fetchone()
    assert count > 0
    told = {card: [row for row in rows_with(serving, card, chosen) if row.get("range_name", "chosen") == "chosen"]
            for card in ("shop_figures", "shop_daily", "shop_by_hour", "shop_by_agent", "order_rows")}  # fmt: skip
    (figures_of_range,) = told["shop_figures"]
    assert (figures_of_range["assisted_orders"], figures_of_range["assisted_sales"]) == (count, money)
    assert alike(figures_of_range["average_assisted_value"], money / count)
    assert sum(row["assisted_sales"] for row in told["shop_daily"]) == money
    assert sum(row["assisted_orders"] for row in told["shop_by_hour"]) == count
    assert sum(row["assisted_orders"] for row in told["shop_by_agent"]) == count
    assert sum(row["assisted_sales"] or 0 for row in told["shop_by_agent"]) == money
    assert sum(row["is_assisted"] for row in told["order_rows"]) == count
    if days in (None, 3):  # the tags page has no window of its own
        by_tag = {row["tag"]: row for row in rows_with(serving, "tag_summary", {"date": dates})}
        sold = rows_with(serving, "shop_by_tag", chosen)
        assert sold
        for row in sold:
            assert (row["assisted_orders"], row["assisted_sales"]) == tuple(by_tag[row["tag"]][name] for name in ("assisted_orders", "assisted_sales"))


def test_a_business_with_another_window_has_it_where_none_is_chosen(serving, shop, tmp_path: Path) -> None:
    changed = tmp_path / "six.duckdb"
    shutil.copyfile((shop[0].serving / CURRENT).resolve(), changed)
    with duckdb.connect(str(changed)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("update facts.dim_attribution_windows set is_default = window_days = 28")
        (own,), (chosen,) = (
            [row for row in rows_with(connection, "shop_figures", {"date": RANGES["this month"], **window}) if row["range_name"] == "chosen"]
            for window in ({}, {"window": [1]})
        )
        assert own["assisted_sales"] == own["assisted_sales_28d"] > own["assisted_sales_1d"]
        assert chosen["assisted_sales"] == own["assisted_sales_1d"]


def rows_with(serving: duckdb.DuckDBPyConnection, name: str, chosen: dict[str, Any]) -> list[dict[str, Any]]:
    names, rows = on_duckdb(serving, card_sql(name), chosen)
    return [dict(zip(names, row, strict=True)) for row in rows]


def rows_behind(serving: duckdb.DuckDBPyConnection, card: Card, row: dict[str, Any], chosen: dict[str, Any]) -> list[dict[str, Any]]:
    """What a click on a row of a card opens."""
    behind = card.behind
    taken = {name: chosen.get(name) for name in card.filters_behind}
    clicked = {name: row[column] for name, column in behind.by.items()}
    for name in clicked.keys() & FILTERS.keys():
        taken[name] = (clicked[name], clicked[name]) if FILTERS[name].is_date else [clicked[name]]
    found = rows_with(serving, rows_tables()[behind.rows].sql, taken)
    return [
        each for each in found
        if (not behind.where or each[behind.where]) and all(each[name] == clicked[name] for name in clicked.keys() - FILTERS.keys())
    ]  # fmt: skip


@pytest.mark.parametrize(("dates", "chosen"), [case for case in CASES if case.id in ("this month", "custom by all", "today", "this month by window")])
def test_the_rows_behind_a_bar_or_a_row_are_as_many_as_it_says(dates, chosen, serving) -> None:
    chosen = {name: [an_agent(serving)] if value == ["AGENT"] else value for name, value in chosen.items()} | {"date": dates}
    looked = 0
    for card in (card for card in CARDS if card.behind and not card.figure):
        rows = [row for row in rows_with(serving, card.sql, chosen) if all(row[name] is not None for name in card.behind.by.values())]
        by_size = sorted(rows, key=lambda row: sum(row[name] or 0 for name in card.behind.count))
        for row in [*rows[:1], *by_size[-1:]]:
            behind = rows_behind(serving, card, row, chosen)
            if card.behind.count:
                assert len(behind) == sum(row[name] or 0 for name in card.behind.count), (card.name, row)
            for column, value in SUMS.get(card.name, {}).items():
                assert sum(each[column] or 0 for each in behind) == (row[value] or 0), (card.name, row)
            if card.name == "response_by_day":
                times = [each["response_seconds"] for each in behind]
                assert alike(row["avg_response_seconds"], sum(times) / len(times) if times else None)
            looked += len(behind) > 0
    assert looked > (10 if chosen["date"] == RANGES["this month"] else 4)


@pytest.mark.parametrize(("dates", "chosen"), CASES)
def test_the_rows_behind_a_figure_are_as_many_as_it_says(dates, chosen, serving) -> None:
    chosen = {name: [an_agent(serving)] if value == ["AGENT"] else value for name, value in chosen.items()} | {"date": dates}
    tables = {card.behind.rows for card in FIGURES}
    answered = {name: rows_with(serving, name, chosen) for name in {card.sql for card in FIGURES} | tables}
    for card in FIGURES:
        behind_it = card.behind
        (told,) = (row for row in answered[card.sql] if row["range_name"] == "chosen")
        # the shop has no filter by tag
        found = answered[behind_it.rows] if "tag" in card.filters or "tag" not in chosen else rows_behind(serving, card, told, chosen)
        behind = [row for row in found if not behind_it.where or row[behind_it.where]]
        assert len(behind) == sum(told[name] for name in behind_it.count or (card.figure.value,)), card.name
        for column, value in SUMS.get(card.name, {}).items():
            assert sum(row[column] or 0 for row in behind) == (told[value] or 0), (card.name, column)
    (told,) = (row for row in answered["figures"] if row["range_name"] == "chosen")
    assert sum(row["is_open_at_end"] for row in answered["conversation_rows"]) == told["open_at_end"]
    rows = [row for row in answered["conversation_rows"] if row["is_in_range"]]
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
    "payment_mix": {"total": "sales"},
    "cities": {"total": "sales"},
    "order_sources": {"total": "sales"},
    "sales_by_day": {"total": "sales"},
    "sales_by_tag": {"total": "assisted_sales"},
    "sales_by_agent": {"total": "assisted_sales"},
    "top_products": {"quantity": "quantity", "line_total": "sales"},
}


def test_what_leads_to_rows_leads_to_some_that_are_there(serving) -> None:
    assert all(card.behind for card in FIGURES)
    leading = [card for card in CARDS if card.behind]
    for card in leading:
        table, behind = rows_tables()[card.behind.rows], card.behind
        assert not behind.where or table.columns[behind.where].kind == "flag", card.name
        assert all(card.columns[name].kind == "count" for name in behind.count or ((card.figure.value,) if card.figure else ())), card.name
        # a filter that acts on the card acts on its rows: else they would not be those it counts
        assert set(card.filters) - set(behind.by) <= set(card.filters_behind) | {"window"}, card.name
        assert bool(behind.by) != bool(card.figure), card.name
        for name, column in behind.by.items():
            if name not in FILTERS:
                assert card.columns[column].kind == table.columns[name].kind, (card.name, name)
                assert card.columns[column].labels == table.columns[name].labels, (card.name, name)
            else:
                assert name in table.filters, (card.name, name)
    assert {card.behind.rows for card in leading} == set(rows_tables())
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
