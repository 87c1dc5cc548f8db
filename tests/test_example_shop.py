"""The bundled shop through the whole path against what its story says, and what must not be served of it."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from pathlib import Path

import duckdb
import pytest
from conftest import SHOP_DAYS, SHOP_END

from dashboards.figures import figures
from dashboards.serving import CURRENT, open_serving
from ingestion.example import FICTIONAL_PHONES, ExampleTruth
from ingestion.landing import landed_files, read_lines
from ingestion.settings import Settings


@pytest.fixture
def serving(shop: tuple[Settings, ExampleTruth]) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_serving(shop[0]) as connection:
        yield connection


@pytest.mark.parametrize(("number", "channel"), [("sales_number", "chatwoot:1:7"), ("support_number", "800000000000002")])
def test_each_channel_equals_the_story(number: str, channel: str, shop, serving) -> None:
    told = asdict(getattr(shop[1], number))
    found = figures(serving, date(2026, 1, 1), SHOP_END, channel=channel)
    expected = {
        "total_conversations": told["conversations"],
        **{name: told[name] for name in ("customer_messages", "agent_messages", "automation_messages", "unknown_messages")},
        **{name: told[name] for name in ("unique_customers", "answered_turns", "unanswered_turns")},
    }
    assert {name: found[name] for name in expected} == expected
    assert round(found["avg_response_seconds"] * found["answered_turns"]) == told["response_seconds"]
    assert serving.execute(
        "select count(*) from facts.fct_conversations where channel = ? and is_outbound_only", [channel]
    ).fetchone() == (told["outbound_only"],)


def test_states_tags_and_findings_equal_the_story(shop, serving) -> None:
    truth = shop[1]
    tickets = "from facts.fct_conversations where source = 'chatwoot'"
    assert one(serving, f"select count(*) {tickets} and status = 'open' and not is_outbound_only") == truth.open_tickets
    assert one(serving, f"select count(*) {tickets} and closed_by = 'person'") == truth.tickets_closed_by_person
    closed_by_rule = f"select count(*) {tickets} and closed_by = 'automation' and not is_outbound_only"
    assert one(serving, closed_by_rule) == truth.tickets_closed_by_automation
    assert one(serving, f"select count(*) {tickets} and is_unread") == truth.unread_tickets
    assert one(serving, f"select count(*) {tickets} and is_waiting") == truth.waiting_tickets
    assert one(serving, f"select sum(reopen_count) {tickets}") == truth.reopenings
    assert one(serving, "select count(distinct customer_id) from facts.fct_messages where is_counted and direction = 'inbound'") == truth.unique_customers
    assert one(serving, "select count(*) from facts.fct_messages where delivery_status = 'failed'") == truth.failed_messages
    assert one(serving, "select sum(messages_missing_in_inbox) from marts.mart_data_health") == truth.missing_in_inbox
    for action, told in (("applied", truth.tags_applied), ("removed", truth.tags_removed)):
        rows = serving.execute("select tag, count(*) from facts.fct_tags where action = ? group by tag", [action]).fetchall()
        assert dict(rows) == told
    assert dict(serving.execute("select source, rejected_lines from marts.mart_data_health").fetchall()) == truth.rejects


def one(connection: duckdb.DuckDBPyConnection, query: str):
    return connection.execute(query).fetchone()[0]


def test_no_customer_phone_is_served_not_even_inside_an_id(shop) -> None:
    settings, _ = shop
    # not the shop's own numbers, which name its channels
    phone = re.compile(FICTIONAL_PHONES.strip("^$").replace(r"|96611000000\d", ""))
    landed = b"".join(b"".join(read_lines(path)) for path in landed_files(settings.landing, "whatsapp")).decode()
    assert len(set(phone.findall(landed))) > 500
    served = (settings.serving / CURRENT).resolve()
    for text in served_texts(served):
        assert not phone.search(text), text
        for decoded in decoded_pieces(text):
            assert not phone.search(decoded), text
    assert not phone.search(served.read_bytes().decode("latin-1"))


def served_texts(path: Path) -> Iterator[str]:
    """Every text value of every served table."""
    with duckdb.connect(str(path), read_only=True) as connection:
        columns = connection.execute(
            "select table_schema, table_name, column_name from information_schema.columns where data_type = 'VARCHAR'"
        ).fetchall()
        for schema, table, column in columns:
            for (value,) in connection.execute(f'select distinct "{column}" from {schema}.{table}').fetchall():
                if value is not None:
                    yield value


def decoded_pieces(text: str) -> Iterator[str]:
    for piece in re.findall(r"[A-Za-z0-9+/_-]{16,}={0,2}", text):
        for offset in range(4):
            cut = piece[offset:]
            padded = cut + "=" * (-len(cut) % 4)
            try:
                yield base64.urlsafe_b64decode(padded).decode("latin-1")
            except ValueError:
                continue


def test_no_name_is_served(shop, serving) -> None:
    from ingestion.example.story import tell

    names = {person.name for person in tell(SHOP_END, SHOP_DAYS, 7).stage.crowd if person.name}
    assert len(names) > 100
    served = set(served_texts((shop[0].serving / CURRENT).resolve()))
    assert not names & served
