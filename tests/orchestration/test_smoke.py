"""The check that `make smoke-metabase` makes, against a Metabase of our own that runs cards on a real PostgreSQL."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from conftest import SHARED, SHOP_END, needs_shared
from fakes.metabase import ADMIN, FakeMetabase, serving
from pydantic import SecretStr

from dashboards.metabase.push import push
from dashboards.metabase.wanted import wanted
from dashboards.parameters import FILTERS
from dashboards.serving import open_serving, publish
from dashboards.spec import tabs
from ingestion.settings import Settings
from orchestration.compiling import manifest
from orchestration.smoke import choices, compare, differing, some_values

ZONE = ZoneInfo("Asia/Riyadh")
NOW = datetime(2026, 11, 20, 12)  # noqa: DTZ001 – local, as Metabase compares dates


@pytest.fixture(scope="module")
def published(shop: tuple[Settings, Any], postgres_server: str) -> Iterator[str]:
    """The example shop in a PostgreSQL."""
    with psycopg.connect(postgres_server, autocommit=True) as server:
        server.execute("create database smoke")
        url = postgres_server.replace("/postgres?", "/smoke?")
        publish(shop[0].model_copy(update={"serving_url": SecretStr(url)}), manifest())
        yield url
        server.execute("drop database smoke with (force)")


def as_json(value: Any) -> Any:
    """How Metabase writes values: dates as midnight of its zone, instants in it."""
    match value:
        case datetime():
            return value.astimezone(ZONE).isoformat()
        case date():
            return f"{value}T00:00:00+03:00"
        case Decimal():
            return float(value)
        case _:
            return value


@pytest.fixture
def run_card(published: str) -> Iterator[Callable[..., tuple[list[str], list[list[Any]]]]]:
    """Fills a card's parameters as Metabase does, by the independent model of it, and asks PostgreSQL."""
    spec = importlib.util.spec_from_file_location("metabase_sql", SHARED / "tools" / "metabase_sql.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with psycopg.connect(published, autocommit=True) as connection:
        connection.execute(f"set TimeZone = '{ZONE.key}'")

        def run(sql: str, tags: Any, columns: dict[int, Any], values: dict[str, Any]) -> tuple[list[str], list[list[Any]]]:
            fields = {}
            for name, tag in tags.items():
                column = columns[next(part for part in tag["dimension"] if isinstance(part, int))]
                schema, _, table = column["table"].partition(".")
                kind = "date" if FILTERS[name].is_date else "text"
                fields[name] = {"schema": schema, "table": table, "name": column["name"], "type": kind}
            sent = [
                {"type": tags[name]["widget-type"], "value": value, "target": ["dimension", ["template-tag", name]]}
                for name, value in values.items()
            ]
            text, _values = module.render(sql, tags, sent, fields, NOW, tz=ZONE.key, dialect="postgres")
            cursor = connection.execute(text)
            return [column.name for column in cursor.description or ()], [[as_json(each) for each in row] for row in cursor]

        yield run


@pytest.fixture
def server(run_card: Any, shop: tuple[Settings, Any], published: str, tmp_path: Path) -> Iterator[tuple[FakeMetabase, Settings]]:
    tables: dict[str, list[str]] = {}
    for each in FILTERS.values():
        tables.setdefault(each.table, []).append(each.column)
    fake = FakeMetabase(tables, run=run_card)
    with serving(fake) as url:
        yield (
            fake,
            Settings(
                data=tmp_path,
                serving_url=published,  # type: ignore[arg-type]
                metabase_url=url,
                metabase_user=ADMIN[0],
                metabase_password=ADMIN[1],  # type: ignore[arg-type]
                metabase_database_url="postgresql://reader:p@db/smoke",  # type: ignore[arg-type]
            ),
        )
    assert fake.problems == []


@needs_shared
def test_every_card_says_the_same_through_metabase(server: tuple[FakeMetabase, Settings]) -> None:
    fake, settings = server
    what = wanted(settings, ("en",))
    pushed = push(settings, what)
    with open_serving(settings) as connection:
        values = some_values(connection)
        assert set(values) == {"workspace", "channel", "tag", "agent", "window"}
        chosen = [each for each in choices(SHOP_END, values) if each.name.startswith(("thismonth", "2026-"))]
        assert len(chosen) == 3
        found = compare(pushed, what, connection, ZONE, chosen)
        assert [line for one in found for line in one.differences] == []
        # the rows behind a figure stand on no tab: a click asks them
        assert {one.key for one in found} == {key for key in what.cards if not key.endswith(".rows")}
        cells = {one.key: one.cells for one in found}
        figures = [f"en/{card.name}" for tab in tabs() for card in tab.cards if card.display == "figure"]
        assert all(cells[key] == len(chosen) for key in figures)
        assert sum(cells.values()) > 5_000

        # a number that differs is found, and so is a card that fails
        pushed.ids.cards = {key: pushed.ids.cards[key] for key in ("en/total_conversations", "en/open_conversations")}
        broken = next(card for card in fake.cards.values() if card["name"] == what.cards["en/total_conversations"]["name"])
        stage = broken["dataset_query"]["stages"][0]
        good = stage["native"]
        for sql, words in (
            (f"select 1 + total_conversations as total_conversations from ({good}) as a", "Metabase has"),
            ("select no_such_column", "Metabase says"),
        ):
            stage["native"] = sql
            different = {one.key: one.differences for one in compare(pushed, what, connection, ZONE, chosen[:1]) if one.differences}
            assert list(different) == ["en/total_conversations"]
            assert any(words in line for line in different["en/total_conversations"])


def test_dates_are_those_that_metabase_means() -> None:
    meant = {choice.name: choice.meant["date"] for choice in choices(date(2026, 1, 15), {"tag": "vip"})}
    assert meant["thismonth"] == (date(2026, 1, 1), date(2026, 1, 31))
    assert meant["lastmonth"] == (date(2025, 12, 1), date(2025, 12, 31))
    assert meant["past7days"] == (date(2026, 1, 8), date(2026, 1, 14))
    assert meant["2025-12-26~2026-01-11"] == (date(2025, 12, 26), date(2026, 1, 11))
    (last,) = [choice for choice in choices(date(2026, 1, 15), {"tag": "vip"}) if len(choice.sent) > 1]
    assert last.sent == {"date": "thismonth", "tag": ["vip"]}


def test_values_are_the_same_however_they_are_written() -> None:
    instant = datetime(2026, 11, 20, 9, 30, 1, 500, tzinfo=UTC)
    ours = [(1, Decimal("0.10"), date(2026, 11, 1), instant, None, True, "نعم")]
    for theirs in (
        [1, 0.1, "2026-11-01T00:00:00+03:00", "2026-11-20T12:30:01.0005+03:00", None, True, "نعم"],
        ["1", "0.10", "2026-11-01", "2026-11-20T12:30:01", None, True, "نعم"],
    ):
        assert differing(ours, [theirs], ZONE) == []
    assert differing(ours, [[2, *theirs[1:]]], ZONE) != []
    assert differing(ours, [[1, None, *theirs[2:]]], ZONE) != []


def test_rows_may_come_in_another_order_but_each_as_often() -> None:
    ours = [("a", 1), ("b", 2), ("b", 2)]
    assert differing(ours, [["b", 2], ["a", 1], ["b", 2]], ZONE) == []
    assert differing(ours, [["b", 2], ["a", 1]], ZONE) == ["serving has ('b', '2'), Metabase has not"]
    assert differing([], [["b"]], ZONE) == ["Metabase has ('b',), serving has not"]
    assert differing([], [], ZONE) == []


def test_rows_beyond_metabases_limit_are_not_missed_but_wrong_ones_are_found() -> None:
    ours = [(number,) for number in range(2500)]
    assert differing(ours, [[number] for number in range(2000)], ZONE) == []
    assert differing(ours, [[number] for number in range(1999)], ZONE) != []
    assert differing(ours, [[number] for number in (*range(1999), 9999)], ZONE) == ["Metabase has ('9999',), serving has not"]
