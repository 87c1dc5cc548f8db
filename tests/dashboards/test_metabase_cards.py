"""Every card's SQL as Metabase compiles it, run on DuckDB and on PostgreSQL, against the same card filled by ourselves."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from conftest import SHARED, SHOP_END, needs_shared
from pydantic import SecretStr

from dashboards.figures import figures
from dashboards.metabase.cards import Question
from dashboards.metabase.readable import PLACEHOLDER, PLURALS, Reader, duration, measured_columns
from dashboards.metabase.wanted import WIDGETS, known_languages, reader_of, wanted
from dashboards.parameters import FILTERS, filled
from dashboards.serving import open_serving, publish
from dashboards.spec import HERE, LANGUAGES, Card, read_toml, rows_tables, tabs
from ingestion.settings import Settings, Workspace
from orchestration.compiling import manifest
from orchestration.console import duration_text

END = SHOP_END
NOW = datetime(2026, 11, 20, 12)  # noqa: DTZ001 – local, as Metabase compares dates
ZONE = "Asia/Riyadh"
FIRST, LAST = date(2000, 1, 1), date(2099, 12, 31)
DAY = timedelta(days=1)

# what the date filter sends, and the dates that it means; Metabase leaves out the day at an open end
DATES: dict[str, tuple[date, date] | None] = {
    "thismonth": (date(2026, 11, 1), date(2026, 11, 30)),
    "today": (END, END),
    "yesterday": (END - DAY, END - DAY),
    "past7days": (END - 7 * DAY, END - DAY),
    "lastmonth": (date(2026, 10, 1), date(2026, 10, 31)),
    "2026-11-03~2026-11-12": (date(2026, 11, 3), date(2026, 11, 12)),
    "2026-11-09~": (date(2026, 11, 10), LAST),
    "~2026-11-05": (FIRST, date(2026, 11, 4)),
    "2031-01-01~2031-01-31": (date(2031, 1, 1), date(2031, 1, 31)),
    "": None,
}
MONTH = "thismonth"


@pytest.fixture(scope="module")
def served_shop(shop: tuple[Settings, Any]) -> Settings:
    return shop[0].model_copy(update={"metabase_database_url": SecretStr("postgresql://reader:p@db/salwa")})


@pytest.fixture(scope="module")
def in_duckdb(served_shop: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = open_serving(served_shop)
    assert isinstance(connection, duckdb.DuckDBPyConnection)
    connection.execute(f"set TimeZone = '{ZONE}'")  # as Metabase's driver does with its report time zone
    connection.execute("set threads = 1")  # to divide so little work takes a quarter more
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def in_postgres(served_shop: Settings, postgres_server: str) -> Iterator[Any]:
    import psycopg

    with psycopg.connect(postgres_server, autocommit=True) as server:
        server.execute("create database cards")
        url = postgres_server.replace("/postgres?", "/cards?")
        publish(served_shop.model_copy(update={"serving_url": SecretStr(url)}), manifest())
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"set TimeZone = '{ZONE}'")
            yield connection
        server.execute("drop database cards with (force)")


@pytest.fixture(scope="module")
def render() -> Callable[..., Any]:
    """The independent model of how Metabase fills parameters."""
    spec = importlib.util.spec_from_file_location("metabase_sql", SHARED / "tools" / "metabase_sql.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.render


@pytest.fixture(scope="module")
def questions(served_shop: Settings) -> dict[str, Question]:
    return wanted(served_shop, ("en",)).questions


def spec_card(key: str) -> Card:
    name, _, part = key.partition("/")[2].partition(".")
    card = next(card for tab in tabs() for card in tab.cards if card.name == name)
    return rows_tables()[card.behind.rows] if part == "rows" else card  # type: ignore[union-attr]


def choices(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Values of the filters: every date alone, each other filter with this month, all together, and nobody's."""
    tag, agent, channel = (
        connection.execute(f"select min({column}) from facts.{table}").fetchone()[0]  # type: ignore[index]
        for column, table in (("tag", "fct_tags"), ("agent_name", "dim_agents"), ("channel_name", "dim_channels"))
    )
    one = {"workspace": ["default"], "channel": [channel], "tag": [tag], "agent": [agent], "window": [7]}
    return [
        *({"date": word} for word in DATES),
        *({"date": MONTH, name: value} for name, value in one.items()),
        {"date": MONTH, **one},
        {"date": MONTH, "channel": ["nobody's", "nor this one"]},
        one,
    ]


def as_metabase(render: Callable[..., Any], question: Question, chosen: dict[str, Any], dialect: str) -> str:
    """The SQL that Metabase would run: its tags, the values that the dashboard sends, and its clock."""
    tags = {
        name: {
            "name": name,
            "type": "dimension",
            "widget-type": WIDGETS[FILTERS[name].kind],
            "default": MONTH if FILTERS[name].is_date and question.is_on_dashboard else None,
        }
        for name in question.filters
    } | {name: {"name": name, "type": "text"} for name in question.plain}
    fields = {
        name: {
            "schema": FILTERS[name].table.split(".")[0],
            "table": FILTERS[name].table.split(".")[1],
            "name": FILTERS[name].column,
            "type": FILTERS[name].kind,
        }
        for name in question.filters
    }
    sent = [
        {"type": tags[name]["widget-type"], "value": chosen.get(name) or None, "target": ["dimension", ["template-tag", name]]}
        for name in question.filters
    ] + [
        {"type": "category", "value": chosen.get(name) or None, "target": ["variable", ["template-tag", name]]}
        for name in question.plain
    ]
    sql, _values = render(question.sql, tags, sent, fields, NOW, tz=ZONE, dialect=dialect)
    return sql


def as_ours(chosen: dict[str, Any]) -> dict[str, Any]:
    return {**chosen, "date": DATES[chosen.get("date", "")]}


def rows_of(cursor: Any) -> tuple[list[str], list[tuple[Any, ...]]]:
    return [column[0] for column in cursor.description], [tuple(map(plain, row)) for row in cursor.fetchall()]


def plain(value: Any) -> Any:
    if isinstance(value, Decimal | float):
        return round(float(value), 5)
    return value.astimezone(UTC) if isinstance(value, datetime) else value


@needs_shared
def test_every_choice_gives_the_same_on_both_engines_and_as_we_fill_it(
    served_shop: Settings, in_duckdb: duckdb.DuckDBPyConnection, in_postgres: Any, render: Any, questions: dict[str, Question]
) -> None:
    """One question of each card's SQL with all choices; the questions that share it differ only in what they show."""
    by_sql = {spec_card(key).sql: question for key, question in questions.items()}
    empty = set()
    for question in by_sql.values():
        every = choices(in_duckdb)
        # what a click opens takes its dates as the cards do: a few are enough
        for chosen in every if question.is_on_dashboard else [each for each in every if each.get("date") in (None, MONTH, "2026-11-09~")]:
            told = f"{question.key} {chosen}"
            names, found = rows_of(in_duckdb.execute(as_metabase(render, question, chosen, "duckdb")))
            assert tuple(names) == question.outputs, told
            assert rows_of(in_postgres.execute(as_metabase(render, question, chosen, "postgres"))) == (names, found), told
            sql, values = filled(question.sql, as_ours(chosen))
            assert rows_of(in_duckdb.execute(sql, values)) == (names, found), told
            if not found:
                empty.add(question.key)
    assert empty  # the choices include some that find nothing


@needs_shared
def test_every_question_runs_and_answers_with_the_columns_its_settings_name(
    in_duckdb: duckdb.DuckDBPyConnection, in_postgres: Any, render: Any, served_shop: Settings
) -> None:
    """Of the questions that a click opens one of each table: they differ only in which rows they show."""
    every = wanted(served_shop).questions
    alike = {(key[:2], spec_card(key).name) if key.endswith(".rows") else key: question for key, question in every.items()}
    assert len(alike) < len(every)
    for question in alike.values():
        chosen = {"date": MONTH}
        names, found = rows_of(in_postgres.execute(as_metabase(render, question, chosen, "postgres")))
        assert rows_of(in_duckdb.execute(as_metabase(render, question, chosen, "duckdb"))) == (names, found), question.key
        assert set(named_columns(question.settings)) <= set(names), question.key
        assert tuple(names) == question.outputs


def named_columns(settings: dict[str, Any]) -> Iterator[str]:
    """Every column that visualization settings name."""
    yield from settings.get("graph.dimensions", [])
    yield from settings.get("graph.metrics", [])
    yield from settings.get("series_settings", {})
    yield from (column["name"] for column in settings.get("table.columns", []))
    yield from (name for rule in settings.get("table.column_formatting", []) for name in rule["columns"])
    yield from (key.split('"')[3] for key in settings.get("column_settings", {}))
    if "scalar.field" in settings:
        yield settings["scalar.field"]


def test_figures_are_those_of_salwa_figures(in_duckdb: duckdb.DuckDBPyConnection, questions: dict[str, Question]) -> None:
    chosen = (date(2026, 11, 1), END)
    told = figures(in_duckdb, *chosen)
    compared = 0
    for key, question in questions.items():
        card = spec_card(key)
        if card.sql != "figures" or key.endswith(".notes"):
            continue
        sql, values = filled(question.sql, {"date": chosen})
        (value,) = in_duckdb.execute(sql, values).fetchone()  # type: ignore[misc]
        expected = told[card.figure.value]  # type: ignore[union-attr]
        is_duration = card.columns[card.figure.value].kind == "seconds"  # type: ignore[union-attr]
        assert value == (in_words(expected) if is_duration else expected), key
        compared += 1
    assert compared >= 8


def in_words(seconds: Decimal | float | None) -> str:
    """As the terminal says it, with the dashboard's word for days."""
    text = duration_text(seconds)
    number, _, rest = text.partition(" d")
    return text if not _ else f"{number} {'day' if number == '1' else 'days'}{rest}"


def test_lines_below_a_figure(in_duckdb: duckdb.DuckDBPyConnection, questions: dict[str, Question]) -> None:
    chosen = (date(2026, 11, 1), date(2026, 11, 10))
    told = figures(in_duckdb, *chosen)
    before = figures(in_duckdb, date(2026, 10, 22), date(2026, 10, 31))
    sql, values = filled(questions["en/closed_conversations.notes"].sql, {"date": chosen})
    notes = [note for (note,) in in_duckdb.execute(sql, values).fetchall()]
    assert notes[0] == f"{before['closed_conversations']} in the period before"
    assert f"{told['closed_by_person']} closed by the team" in notes
    assert not [note for note in notes if note.startswith("0 ")]
    # the dates before the shop's first day are not known
    sql, values = filled(questions["en/closed_conversations.notes"].sql, {"date": (date(2026, 10, 1), END)})
    assert in_duckdb.execute(sql, values).fetchall()[0] == ("no earlier period to compare",)


def test_the_heat_map_holds_every_hour_once(in_duckdb: duckdb.DuckDBPyConnection, questions: dict[str, Question]) -> None:
    card = spec_card("en/peak_map")
    chosen = {"date": (date(2026, 11, 1), END)}
    raw = {
        (weekday, hour): mean
        for weekday, hour, mean in in_duckdb.execute(
            *with_values(f"select weekday, hour_of_day, customer_messages_mean from ({card.text}\n) as c", chosen)
        ).fetchall()
    }
    names, rows = rows_of(in_duckdb.execute(*with_values(questions["en/peak_map"].sql, chosen)))
    assert [row[0] for row in rows] == ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
    assert names[1:] == [f"h{hour:02}" for hour in range(24)]
    for weekday, row in enumerate(rows):
        for hour, value in enumerate(row[1:]):
            assert value == (plain(raw[weekday, hour]) if (weekday, hour) in raw else None)


def with_values(sql: str, chosen: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return filled(sql, chosen)


def test_tables_show_what_the_card_answers(in_duckdb: duckdb.DuckDBPyConnection, questions: dict[str, Question]) -> None:
    filled_tables = 0
    for key, question in questions.items():
        card = spec_card(key)
        if card.display != "table":
            continue
        chosen = {"date": (date(2026, 11, 1), END)}
        names, rows = rows_of(in_duckdb.execute(*with_values(question.sql, chosen)))
        raw_names, raw = rows_of(in_duckdb.execute(*with_values(card.text, chosen)))
        if flag := flag_of(key):
            raw = [row for row in raw if row[raw_names.index(flag)]]
        filled_tables += bool(rows)
        assert len(rows) == len(raw)
        for place, name in enumerate(names):
            shown, kept = [row[place] for row in rows], [row[raw_names.index(name)] for row in raw]
            if card.columns[name].kind == "seconds":
                assert shown == [None if value is None else in_words(value) for value in kept], (key, name)
            elif card.columns[name].kind not in ("label", "flag", "hour", "weekday"):  # names of codes
                # what a click passes on is never empty: that would be every row
                clicked = card.behind is not None and name in card.behind.by.values()
                assert shown == (["–" if value is None else value for value in kept] if clicked else kept), (key, name)
    assert filled_tables > 5


def flag_of(key: str) -> str:
    """The flag of the rows that a figure's question shows; none where it shows all, or is no such question."""
    name, _, part = key.partition("/")[2].partition(".")
    card = next(card for tab in tabs() for card in tab.cards if card.name == name)
    return card.behind.where if part == "rows" else ""  # type: ignore[union-attr]


def clicks_of(dashcard: dict[str, Any]) -> list[dict[str, Any]]:
    """Where a place of a dashboard leads: as a whole, or some of a table's columns."""
    settings = dashcard["settings"]
    return [each["click_behavior"] for each in (settings, *settings.get("column_settings", {}).values()) if "click_behavior" in each]


@needs_shared
def test_a_click_opens_as_many_rows_as_it_says(
    in_duckdb: duckdb.DuckDBPyConnection, in_postgres: Any, render: Any, questions: dict[str, Question], served_shop: Settings
) -> None:
    """With what the dashboard passes on: the filters that act on both, and what the clicked row says."""
    (dashboard,) = wanted(served_shop, ("en",)).dashboards.values()
    clicks = {card["card"]: clicks_of(card) for card in dashboard["dashcards"]}
    leading = [(card, tab) for tab in tabs() for card in tab.cards if card.behind]
    assert {key for key, found in clicks.items() if found} == {f"en/{card.name}" for card, _tab in leading}
    channel = in_duckdb.execute("select min(channel_name) from facts.dim_channels").fetchone()[0]  # type: ignore[index]
    seen, nameless_seen = set(), 0
    for card, tab in leading:
        shown = questions[f"en/{card.name}"]
        click, *others = clicks[f"en/{card.name}"]
        assert all(other == click for other in others)
        behind = questions[click["targetId"]]
        sources = {mapping["target"]["id"]: mapping["source"] for mapping in click["parameterMapping"].values()}
        assert set(sources) <= {*behind.filters, *behind.plain}, card.name
        # one workspace is not asked for
        assert {name for name, source in sources.items() if source["type"] == "parameter"} == set(card.filters_behind) & set(tab.filters) - {"workspace"}
        columns = {name: source["id"] for name, source in sources.items() if source["type"] == "column"}
        # the hours of a map are columns, which say nothing
        assert set(columns) == set(card.behind.by) - ({"hour_of_day"} if card.display == "heat" else set()), card.name  # type: ignore[union-attr]
        assert set(columns.values()) <= set(shown.outputs)
        chosen = {"date": MONTH, **({"channel": [channel]} if "channel" in card.filters_behind else {})}
        names, rows = rows_of(in_postgres.execute(as_metabase(render, shown, chosen, "postgres")))
        raw_names, raw = rows_of(in_duckdb.execute(*with_values(card.text, as_ours(chosen))))
        told = [dict(zip(raw_names, row, strict=True)) for row in raw]
        told = [row for row in told if row.get("range_name", "chosen") == "chosen"]
        if card.display == "heat" and "hour_of_day" in card.behind.by:  # type: ignore[union-attr]
            told = [{"customer_messages": sum(row["customer_messages"] for row in told if row["weekday"] == day)} for day in range(7)]
        nameless = [
            place for place, row in enumerate(rows)
            if any(dict(zip(names, row, strict=True))[column] == "–" for name, column in columns.items() if name not in FILTERS)
        ]  # fmt: skip
        for place in {len(rows) // 2, *nameless[:1]}:
            passed = {name: dict(zip(names, rows[place], strict=True))[column] for name, column in columns.items()}
            passed = {name: [value] if name in FILTERS and name != "date" else str(value) for name, value in passed.items()}
            opened = rows_of(in_postgres.execute(as_metabase(render, behind, chosen | passed, "postgres")))[1]
            assert opened == rows_of(in_duckdb.execute(as_metabase(render, behind, chosen | passed, "duckdb")))[1]
            counted = card.behind.count or ((card.figure.value,) if card.figure else ())  # type: ignore[union-attr]
            assert not counted or len(opened) == sum(told[place][name] for name in counted), card.name
            nameless_seen += place in nameless
            seen.add(len(opened))
    assert len(seen) > 12
    assert nameless_seen


def test_a_click_on_what_has_no_name_opens_nothing(in_duckdb: duckdb.DuckDBPyConnection, questions: dict[str, Question]) -> None:
    sql, values = filled(questions["en/agent_summary.rows"].sql, {"date": (date(2026, 11, 1), END), "agent": ["–"]})
    assert in_duckdb.execute(sql, values).fetchall() == []


def reader(language: str, **more: dict[str, str]) -> Reader:
    known = language if language in known_languages() else known_languages()[0]
    found = reader_of(known, [Workspace(name="shop")])
    return Reader(language, {**found.words, **more}, found.own, found.zone, found.currency)


def said(one: Reader, seconds: float | None) -> str | None:
    sql = f"select {duration(one, 'x')} from (select *, {measured_columns('x')} from (select cast(? as decimal(18, 6)) as x))"
    return duckdb.execute(sql, [seconds]).fetchone()[0]  # type: ignore[index]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, None),
        (0, "0 s"),
        (59.4, "59 s"),
        (59.5, "1 min"),
        (12 * 60, "12 min"),
        (12 * 60 + 30, "12 min"),
        (13 * 60 + 30, "14 min"),
        (3599, "1 h"),
        (3 * 3600 + 20 * 60, "3 h 20 min"),
        (2 * 3600, "2 h"),
        (47 * 3600 + 59 * 60, "47 h 59 min"),
        (48 * 3600, "2 days"),
        (52 * 3600, "2 days 4 h"),
        (33 * 86400, "33 days"),
    ],
)
def test_durations_read_as_people_say_them(seconds: float | None, text: str | None) -> None:
    assert said(reader("en"), seconds) == text


@pytest.mark.parametrize(
    ("language", "minutes", "form"),
    [
        *(("ar", number, form) for number, form in ((1, "one"), (2, "two"), (3, "few"), (10, "few"), (11, "many"), (59, "many"))),
        *(("fr", number, form) for number, form in ((1, "one"), (2, "other"))),
        *(("en", number, form) for number, form in ((1, "one"), (2, "other"))),
    ],
)
def test_plural_forms(language: str, minutes: int, form: str) -> None:
    forms = {f"minutes.{category}": f"{{n}} {category}" for category in (*PLURALS[language], "other")}
    others = {f"{unit}.other": "{n}" for unit in ("seconds", "hours", "days")}
    one = reader(language, durations={**forms, **others, "joined": "{large} {small}"})
    assert said(one, minutes * 60) == f"{minutes} {form}"


def test_metabases_own_words_are_the_same_in_every_language() -> None:
    own = read_toml(HERE / "texts" / "metabase.toml")
    assert set(own) == set(LANGUAGES)
    for words in own.values():
        assert {key: PLACEHOLDER.findall(text) for key, text in words.items()} == {
            key: PLACEHOLDER.findall(text) for key, text in own["en"].items()
        }


def test_words_with_quotes_survive() -> None:
    one = reader("fr", durations={"seconds.other": "{n} l'instant", "minutes.other": "m", "hours.other": "h", "days.other": "d",
                                  "joined": "{large} {small}"})  # fmt: skip
    assert said(one, 5) == "5 l'instant"
