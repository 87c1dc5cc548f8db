"""Small stories with known ends, through the whole path: what people would check by hand first."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from conftest import KEY, run_stages

from dashboards.figures import figures
from dashboards.serving import open_serving
from ingestion.importing import import_archives
from ingestion.inbox.export import import_export
from ingestion.settings import Settings

DAY = date(2026, 10, 5)  # a Monday, in Riyadh
AS_OF = "2026-10-12T00:00:00+03:00"


def at(clock: str, day: int = 5) -> str:
    return f"2026-10-{day:02d}T{clock}+03:00"


def unix(clock: str, day: int = 5) -> str:
    return str(int(datetime.fromisoformat(at(clock, day)).timestamp()))


MESSAGES = [
    # the worked example of the metrics contract
    ("w1", "worked", at("09:00:00"), "customer", "c1", ""),
    ("w2", "worked", at("09:01:00"), "automation", "bot", ""),
    ("w3", "worked", at("09:04:00"), "customer", "c1", ""),
    ("w4", "worked", at("09:10:00"), "agent", "a1", "Sara"),
    ("w5", "worked", at("09:11:00"), "agent", "a1", "Sara"),
    ("w6", "worked", at("12:00:00"), "customer", "c1", ""),
    ("w7", "worked", at("12:30:00"), "agent", "a1", "Sara"),
    ("w8", "worked", at("20:00:00"), "customer", "c1", ""),
    # a reply after 30 hours, in a ticket that stayed open
    ("l1", "late", at("10:00:00", 6), "customer", "c2", ""),
    ("l2", "late", at("16:00:00", 7), "agent", "a2", "عمر"),
    # closed by a rule: the turn goes on; written to after the close
    ("r1", "rule", at("10:00:00", 8), "customer", "c3", ""),
    ("r2", "rule", at("11:00:00", 8), "customer", "c3", ""),
]
STATUS_EVENTS = [
    ("worked", "closed", at("12:31:00"), "agent", "a1"),
    ("worked", "open", at("20:00:00"), "system", ""),
    ("late", "open", at("10:00:00", 6), "system", ""),
    ("rule", "closed", at("10:30:00", 8), "automation", ""),
]
TAG_EVENTS = [
    ("worked", "vip", "applied", at("09:12:00"), "agent", "a1", "Sara"),
    ("worked", "vip", "applied", at("09:13:00"), "agent", "a2", "عمر"),
    ("worked", "vip", "removed", at("10:00:00"), "agent", "a2", "عمر"),
    ("worked", "vip", "applied", at("11:00:00"), "agent", "a2", "عمر"),
    ("late", "شحن", "applied", at("10:05:00", 6), "automation", "", ""),
]


def export(folder: Path) -> Path:
    folder.mkdir()
    write_csv(folder / "messages.csv", "message_id conversation_id sent_at author_type author_id author_name", MESSAGES)
    write_csv(folder / "status_events.csv", "conversation_id status occurred_at actor_type actor_id", STATUS_EVENTS)
    write_csv(folder / "tag_events.csv", "conversation_id tag action occurred_at actor_type actor_id actor_name", TAG_EVENTS)
    return folder


def write_csv(path: Path, columns: str, rows: list[tuple]) -> None:
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(columns.split())
        writer.writerows(rows)


def webhook(field: str, **value: object) -> str:
    change = {"field": field, "value": {"metadata": {"phone_number_id": "800"}, **value}}
    return json.dumps({"object": "whatsapp_business_account", "entry": [{"id": "700", "changes": [change]}]})


def text(wamid: str, clock: str, day: int, phone: str | None = None, user: str | None = None) -> str:
    who = ({"from": phone} if phone else {}) | ({"from_user_id": user} if user else {})
    return webhook("messages", messages=[{"id": wamid, "timestamp": unix(clock, day), "type": "text", **who}])


def whatsapp(folder: Path) -> Path:
    old, new = "966500000001", "966500000002"
    folder.mkdir()
    lines = [
        text("wamid.before", "10:00:00", 5, old, "SA.old"),
        webhook(
            "user_id_update",
            user_id_update=[
                {"user_id": {"previous": "SA.old", "current": "SA.new"}, "wa_id": new, "timestamp": unix("12:00:00", 7)}
            ],
        ),
        text("wamid.after", "13:00:00", 7, new, "SA.new"),
        text("wamid.by_phone", "13:05:00", 7, new),
        # somebody else has the old number now
        text("wamid.reused", "14:00:00", 9, old),
    ]
    (folder / "a.ndjson").write_text("\n".join(lines), encoding="utf-8")
    return folder


def order(number: int, clock: str, day: int, slug: str, phone: str, total: float = 115.0) -> dict:
    stamp = {"date": f"2026-10-{day:02d} {clock}.000000", "timezone_type": 3, "timezone": "Asia/Riyadh"}
    return {
        "kind": f"GET /orders/{number}",
        "received_at": "2026-10-11T12:00:00+00:00",
        "body": {
            "status": 200,
            "success": True,
            "data": {
                "id": number,
                "reference_id": number + 1000,
                "date": stamp,
                "updated_at": stamp,
                "status": {"id": 1, "name": "أي اسم", "slug": slug, "customized": {"id": 2, "name": "اسم التاجر"}},
                "draft": False,
                "payment_method": "mada",
                "currency": "SAR",
                "amounts": {"total": {"amount": total, "currency": "SAR"}},
                "customer": {"id": number + 5000, "first_name": "x", "mobile": int(phone[3:]), "mobile_code": "+966"},
            },
        },
    }


def credit_note(number: int, order_id: int, total: float, day: int) -> dict:
    return {
        "id": number,
        "invoice_number": str(number),
        "order_id": order_id,
        "type": "Credit Note",
        "date": f"2026-10-{day:02d}",
        "sub_total": str(total),
        "total": total,
    }


def salla(folder: Path) -> Path:
    folder.mkdir()
    notes = [credit_note(1, 101, 115.0, 8), credit_note(2, 102, 30.0, 9)]
    lines = [
        order(101, "12:00:00", 6, "restored", "966500000009"),
        order(102, "12:00:00", 7, "delivered", "966500000002"),
        order(103, "23:58:00", 8, "completed", "966500000009"),
        order(104, "12:00:00", 8, "canceled", "966500000009"),
        # the number's new holder bought before writing; the old one wrote long ago
        order(105, "13:00:00", 9, "in_progress", "966500000001"),
        {
            "kind": "GET /orders/invoices",
            "received_at": "2026-10-11T12:00:00+00:00",
            "body": {"status": 200, "success": True, "data": notes, "pagination": {"count": 2, "total": 2, "currentPage": 1, "totalPages": 1}},
        },
    ]
    (folder / "a.ndjson").write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    folder = tmp_path_factory.mktemp("stories")
    settings = Settings(data=folder / "data", phone_key=KEY)  # type: ignore[arg-type]
    import_export(settings.landing, "default", export(folder / "desk"))
    import_archives(settings.landing, "default", "whatsapp", [whatsapp(folder / "whatsapp")])
    import_archives(settings.landing, "default", "salla", [salla(folder / "salla")])
    run_stages(settings, AS_OF)
    with open_serving(settings) as connection:
        yield connection


def rows(connection: duckdb.DuckDBPyConnection, query: str, *values: object) -> list[tuple]:
    return connection.execute(query, list(values)).fetchall()


def ticket(number: str) -> str:
    return f"conversation_id = (select conversation_id from facts.fct_conversations where ticket_number = '{number}')"


def test_the_worked_example(told: duckdb.DuckDBPyConnection) -> None:
    found = figures(told, DAY, DAY, channel="desk")
    expected = {
        "total_conversations": 1,
        "new_conversations": 1,
        "open_conversations": 1,
        "closed_conversations": 0,
        "unread_conversations": 1,
        "waiting_conversations": 1,
        "oldest_wait_seconds": 4 * 3600,
        "avg_response_seconds": 1200,
        "answered_turns": 2,
        "unanswered_turns": 1,
        "messages": 8,
        "customer_messages": 4,
        "agent_messages": 3,
        "automation_messages": 1,
        "ended_episodes": 1,
        "avg_duration_seconds": 12600,
    }
    assert {name: found[name] for name in expected} == expected
    turns = rows(told, f"select response_seconds, outcome from facts.fct_turns where {ticket('worked')} order by turn_number")
    assert turns == [(600, "answered"), (1800, "answered"), (None, "waiting")]
    assert rows(told, f"select closed_by, duration_seconds from facts.fct_episodes where {ticket('worked')} order by 1 nulls last") == [
        ("person", 12600),
        (None, None),
    ]
    assert rows(told, f"select reopen_count, status from facts.fct_conversations where {ticket('worked')}") == [(1, "open")]


def test_a_tag_applied_removed_and_applied_again_by_two_agents(told: duckdb.DuckDBPyConnection) -> None:
    assert rows(
        told,
        f"select action, actor_name, strftime(timezone('Asia/Riyadh', occurred_at), '%H:%M') from facts.fct_tags "
        f"where {ticket('worked')} order by occurred_at",
    ) == [("applied", "Sara", "09:12"), ("removed", "عمر", "10:00"), ("applied", "عمر", "11:00")]
    uses = rows(told, "select actor_name, applications from marts.mart_tag_daily where tag = 'vip' order by 1")
    assert uses == [("Sara", 1), ("عمر", 1)]
    assert figures(told, DAY, date(2026, 10, 11), tag="vip")["total_conversations"] == 1
    assert figures(told, date(2026, 10, 6), date(2026, 10, 11), tag="شحن")["messages"] == 2


def test_a_reply_after_thirty_hours(told: duckdb.DuckDBPyConnection) -> None:
    assert rows(told, f"select response_seconds from facts.fct_turns where {ticket('late')}") == [(30 * 3600,)]
    assert figures(told, date(2026, 10, 6), date(2026, 10, 6), channel="desk")["unanswered_turns"] == 1
    assert figures(told, date(2026, 10, 7), date(2026, 10, 7), agent="عمر")["answered_turns"] == 1


def test_a_rule_closes_but_answers_nobody(told: duckdb.DuckDBPyConnection) -> None:
    assert rows(told, f"select outcome, ended_at from facts.fct_turns where {ticket('rule')}") == [("waiting", None)]
    assert rows(
        told, f"select status, closed_by, is_unread, is_waiting, is_waiting_after_close from facts.fct_conversations where {ticket('rule')}"
    ) == [("closed", "automation", True, False, True)]


def test_a_new_number_is_the_same_person_and_a_reused_one_is_not(told: duckdb.DuckDBPyConnection) -> None:
    people = rows(
        told, "select customer_id, count(*) from facts.fct_messages where channel = '800' group by 1 order by 2 desc"
    )
    assert [count for _, count in people] == [3, 1]


def test_orders_follow_the_person_not_the_number(told: duckdb.DuckDBPyConnection) -> None:
    found = dict(rows(told, "select order_reference, attribution_gap_seconds from facts.fct_orders"))
    # the one who moved wrote two days before, from the old number
    assert found["1102"] == Decimal(2 * 86_400 + 2 * 3600)
    assert found["1105"] is None


def test_money_on_its_day(told: duckdb.DuckDBPyConnection) -> None:
    daily = rows(
        told, "select local_date, sales, refunds, net_sales from marts.mart_sales_daily order by 1"
    )
    assert daily == [
        (date(2026, 10, 6), 115, 0, 115),
        (date(2026, 10, 7), 115, 0, 115),
        (date(2026, 10, 8), 115, 115, 0),
        (date(2026, 10, 9), 115, 30, 85),
    ]
    assert rows(told, "select ordered_local_date, ordered_local_hour from facts.fct_orders where order_reference = '1103'") == [
        (date(2026, 10, 8), 23)
    ]


def test_every_number_is_of_now(told: duckdb.DuckDBPyConnection) -> None:
    assert rows(told, "select as_of from facts.dim_workspaces") == [(datetime(2026, 10, 11, 21, tzinfo=UTC),)]
