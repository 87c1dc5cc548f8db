"""Landed Chatwoot lines as typed rows: every line is accounted for, whatever its shape."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion.chatwoot import CHATWOOT
from ingestion.landing import Delivery, landed_line
from ingestion.loading import LINES, parse

SAMPLES = Path(os.environ.get("SALWA_SAMPLES", Path(__file__).parents[2].parent / "shared" / "samples"))
RECEIVED = "2026-09-21T15:00:00+00:00"
CALLS = [
    "webhook",
    "GET /conversations",
    "POST /conversations/filter",
    "GET /conversations/12",
    "GET /conversations/{id}",
    "GET /conversations/12/messages",
    "GET /conversations/12/labels",
    "GET /contacts",
    "GET /agents",
    "GET /inboxes",
    "GET /teams",
    "GET /labels",
    "GET /reporting_events",
    "headers",
]
Rows = dict[str, list[dict[str, Any]]]


def parsed(deliveries: Iterable[tuple[str, Any]], received_at: str | None = RECEIVED) -> Rows:
    """The rows of each table; a delivery is (kind, body), and its line number counts from 1."""
    lines = [
        landed_line(Delivery(body=json.dumps(body).encode(), kind=kind, received_at=received_at)).decode()
        for kind, body in deliveries
    ]
    table = pa.table(
        {
            "workspace": ["shop"] * len(lines),
            "landing_file": ["shop/chatwoot/day/file"] * len(lines),
            "landing_line": list(range(1, len(lines) + 1)),
            "line": lines,
        },
        schema=LINES,
    )
    return {name: rows.to_pylist() for name, rows in parse(CHATWOOT, table)}


def accounted_lines(rows: Rows) -> set[int]:
    return {row["landing_line"] for name, found in rows.items() if name != "landed_lines" for row in found}


def message(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "id": number,
        "conversation_id": 12,
        "inbox_id": 7,
        "message_type": 0,
        "content": "hi",
        "content_type": "text",
        "private": False,
        "created_at": 1790000000,
    } | changes


def conversation(number: int = 12, **changes: Any) -> dict[str, Any]:
    return {
        "id": number,
        "inbox_id": 7,
        "status": "open",
        "labels": [],
        "updated_at": 1790000300.25,
        "created_at": 1790000000,
        "meta": {"sender": {"id": 501, "phone_number": "+966500000101"}},
    } | changes


def sentence(text: str) -> Rows:
    return parsed([("GET /conversations/12/messages", {"payload": [message(message_type=2, content=text)]})])


def test_that_every_landed_line_of_any_shape_is_accounted_for() -> None:
    values: list[Any] = [
        {}, [], [[]], [None], [1, "a"], {"payload": None}, {"payload": []}, {"payload": [None, 1, [], {}]},
        {"payload": {"a": 1}}, {"data": {"payload": [{"id": []}]}}, {"data": []}, {"error": "not found"},
        {"id": 1}, {"id": "x"}, {"id": 1, "messages": {"id": 2}}, {"id": 1, "messages": [None, {"id": {}}, 7]},
        {"id": 1, "meta": [], "labels": "vip, old"}, {"id": 1, "labels": [None, 1, {"a": 2}]},
        {"event": None}, {"event": 5}, {"event": {}}, {"event": "conversation_typing_on", "conversation": {"id": 3}},
        {"event": "something_new", "id": 9}, {"event": "conversation_something_new", "id": 9, "inbox_id": 7},
        {"event": "message_created"}, {"event": "message_created", "id": 5, "conversation": 4, "created_at": True},
        {"event": "message_created", "conversation": {"id": "x"}, "sender": 3, "account": "acme"},
        {"event": "conversation_updated", "id": 3, "changed_attributes": [None, 1, {"label_list": None}, {"status": 3}]},
        {"event": "conversation_updated", "id": 3, "changed_attributes": {"label_list": {"previous_value": "a, b"}}},
        {"event": "conversation_updated", "id": 3, "changed_attributes": "all", "performed_by": "me"},
        {"event": "contact_updated", "id": None}, {"event": "inbox_created", "inbox": None},
        {"event": "message_created", "id": 5, "created_at": 1e300, "conversation": {"id": 1}, "message_type": [],
         "content_attributes": "{\"deleted\": true}", "attachments": {}},
        {"payload": [message(message_type=9), message(created_at="soon"), message(id="a"), message(conversation_id={})]},
    ]  # fmt: skip
    deliveries = [(kind, value) for kind in CALLS for value in values]
    rows = parsed(deliveries)
    missing = set(range(1, len(deliveries) + 1)) - accounted_lines(rows)
    assert [deliveries[line - 1] for line in sorted(missing)] == []
    assert all(row["reason"] for row in rows["rejects"])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["id", "payload", "data", "event", "messages", "conversation", "meta", "sender", "labels", "created_at",
         "updated_at", "changed_attributes", "label_list", "status", "message_type", "conversation_id", "inbox_id"]
    ), inner, max_size=5),
    max_leaves=15,
)  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(st.sampled_from(CALLS), st.dictionaries(st.text(max_size=3), json_values) | json_values), max_size=20
    )
)
def test_that_nothing_is_lost_and_nothing_raises(deliveries: list[tuple[str, Any]]) -> None:
    rows = parsed(deliveries)
    assert accounted_lines(rows) == set(range(1, len(deliveries) + 1))


@pytest.mark.parametrize(
    "kind",
    [
        "GET /conversations",
        "GET /api/v1/accounts/1/conversations",
        "GET /conversations?status=all&page=2",
        "GET https://chat.example.test/api/v1/accounts/1/conversations.json?page=2",
        "GET /accounts/{account_id}/conversations/",
        "POST /conversations/filter",
        "/conversations",
    ],
)
def test_that_a_prefix_or_a_query_does_not_change_what_a_page_is(kind: str) -> None:
    rows = parsed([(kind, {"data": {"payload": [conversation(12), conversation(13)]}})])
    assert [row["conversation_id"] for row in rows["conversations"]] == ["12", "13"]
    assert rows["rejects"] == [] == rows["other_objects"]


def test_that_the_account_is_named_by_the_body_else_by_the_path_else_by_the_envelope() -> None:
    rows = parsed(
        [
            ("GET /api/v1/accounts/4/conversations", {"payload": [conversation(1, account_id=3)]}),
            ("GET /api/v1/accounts/4/conversations", {"payload": [conversation(2)]}),
            ("webhook", message(event="message_created", account={"id": 5}, conversation=conversation(3))),
            # older webhooks of conversations name it in their last message only
            (
                "webhook",
                conversation(4, event="conversation_updated", messages=[message(account_id=6, conversation_id=4)]),
            ),
            ("GET /conversations", {"payload": [conversation(5)]}),
        ]
    )
    assert {row["conversation_id"]: row["account"] for row in rows["conversations"]} == {
        "1": "3", "2": "4", "3": "5", "4": "6", "5": None
    }  # fmt: skip
    envelope = landed_line(
        Delivery(body=json.dumps([conversation(5)]).encode(), kind="GET /conversations", account="9")
    ).decode()
    line = pa.table(
        {"workspace": ["shop"], "landing_file": ["f"], "landing_line": [1], "line": [envelope]}, schema=LINES
    )
    assert dict(parse(CHATWOOT, line))["conversations"]["account"].to_pylist() == ["9"]


@pytest.mark.parametrize(
    ("shown", "meant"),
    [
        (1790000000, datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)),
        ("1790000000", datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)),
        (1790000300.123456, datetime(2026, 9, 21, 14, 18, 20, 123456, tzinfo=UTC)),
        (1790000000123, datetime(2026, 9, 21, 14, 13, 20, 123000, tzinfo=UTC)),
        ("2026-09-21T14:13:20.000Z", datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)),
        ("2026-09-21T17:13:20+03:00", datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)),
        ("2026-09-21 14:13:20 UTC", datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)),
        (0, None),
        ("0", None),
        (0.0, None),
        (None, None),
        (-1, None),
        (12345, None),
        ("", None),
        ("infinity", None),
        ("1970-01-01T00:00:00Z", None),
        (True, None),
        ([], None),
        ({"at": 1}, None),
    ],
)
def test_that_a_time_reads_the_same_however_it_is_written_and_zero_is_none(shown: Any, meant: datetime | None) -> None:
    rows = parsed([("GET /conversations/12", conversation(waiting_since=shown, agent_last_seen_at=shown))])
    assert rows["conversations"][0]["waiting_since"] == meant
    assert [row["agent_last_seen_at"] for row in rows["read_marks"]] == ([meant] if meant else [])


def test_that_the_type_of_a_message_is_a_number_in_pages_and_a_word_in_webhooks() -> None:
    page = {"payload": [message(number, message_type=number) for number in range(4)]}
    webhook = message(4, message_type="outgoing", event="message_created", conversation=conversation())
    rows = parsed([("GET /conversations/{id}/messages", page), ("webhook", webhook)])
    assert [row["message_type"] for row in sorted(rows["messages"], key=lambda row: row["message_id"])] == [
        "incoming", "outgoing", "activity", "template", "outgoing"
    ]  # fmt: skip
    unknown = parsed([("GET /conversations/12/messages", {"payload": [message(message_type="hologram")]})])
    assert [row["object_kind"] for row in unknown["other_objects"]] == ["message: hologram"]
    assert not unknown["other_objects"][0]["is_known_kind"]


def test_that_a_message_from_the_future_or_without_a_time_is_a_reject_and_its_neighbours_are_not() -> None:
    page = {"payload": [message(1), message(2, created_at=0), message(3, created_at=1790090000), message(4)]}
    rows = parsed([("GET /conversations/12/messages", page)])
    assert sorted(row["message_id"] for row in rows["messages"]) == ["1", "4"]
    assert sorted((row["item_path"], row["reason"]) for row in rows["rejects"]) == [
        ("item[1]", "message without a readable created_at"),
        ("item[2]", "message dated more than a day after it was received"),
    ]


def test_that_messages_nested_in_a_conversation_are_read_once_each() -> None:
    last = message(2, conversation_id=12)
    page = conversation(messages=[message(3, message_type=2), last], last_non_activity_message=last)
    other = conversation(messages=[message(3, message_type=2)], last_non_activity_message=last)
    rows = parsed([("GET /conversations/12", page), ("GET /conversations/12", other)])
    assert sorted((row["landing_line"], row["message_id"]) for row in rows["messages"]) == [
        (1, "2"), (1, "3"), (2, "2"), (2, "3")
    ]  # fmt: skip


def test_that_attributes_that_came_as_text_are_read() -> None:
    page = {"payload": [message(content_attributes='{"deleted":true,"automation_rule_id":9}')]}
    row = parsed([("GET /conversations/12/messages", page)])["messages"][0]
    assert row["is_deleted"]
    assert row["automation_rule_id"] == "9"


def test_that_a_change_of_labels_is_what_came_and_what_went() -> None:
    body = conversation(
        event="conversation_updated",
        labels=["vip", "new"],
        changed_attributes=[
            {"updated_at": {"previous_value": None, "current_value": "2026-09-21T14:00:00Z"}},
            {"label_list": {"previous_value": ["vip", "old"], "current_value": ["new", "vip"]}},
        ],
        performed_by={"type": "user", "id": 11},
    )
    rows = parsed([("webhook", body)])
    at = datetime(2026, 9, 21, 14, tzinfo=UTC)
    found = {(r["label"], r["action"], r["changed_at"], r["performed_by_id"]) for r in rows["label_changes"]}
    assert found == {("new", "applied", at, "11"), ("old", "removed", at, "11")}
    assert {row["label"] for row in rows["conversation_labels"]} == {"vip", "new"}


@pytest.mark.parametrize(
    ("text", "action", "labels", "name"),
    [
        ("Sara added vip", "applied", {"vip"}, "Sara"),
        ("Sara added exchange, vip", "applied", {"exchange", "vip"}, "Sara"),
        ("Sara added Ali removed vip", "removed", {"vip"}, "Sara added Ali"),
        ("سارة أضاف استبدال, vip", "applied", {"استبدال", "vip"}, "سارة"),
        ("سارة أزال vip", "removed", {"vip"}, "سارة"),
        ("Zoé a ajouté vip", "applied", {"vip"}, "Zoé"),
        ("Zoé a supprimé vip", "removed", {"vip"}, "Zoé"),
    ],
)
def test_that_notices_of_labels_are_read(text: str, action: str, labels: set[str], name: str) -> None:
    found = sentence(text)["label_changes"]
    assert {(r["label"], r["action"], r["performed_by_name"]) for r in found} == {(x, action, name) for x in labels}


@pytest.mark.parametrize(
    ("text", "status", "actor_kind", "name"),
    [
        ("Conversation was marked resolved by Sara", "resolved", "named", "Sara"),
        ("Conversation was reopened by Sara", "open", "named", "Sara"),
        ("Conversation was marked as pending by Sara", "open", "named", "Sara"),
        ("Conversation was snoozed by Sara", "open", "named", "Sara"),
        ("Conversation was resolved by Noura", "resolved", "customer", "Noura"),
        ("Conversation was marked resolved by Captain due to inactivity", "resolved", "automation", "Captain"),
        ("Conversation was marked resolved by system due to 5 days of inactivity", "resolved", "system", None),
        ("System reopened the conversation due to a new incoming message.", "open", "system", None),
        ('تم تحديث حالة المحادثة لـ"مغلقة" بواسطة سارة', "resolved", "named", "سارة"),
        ("تم إعادة فتح المحادثة بواسطة سارة", "open", "named", "سارة"),
        ("تم حل المحادثة بواسطة نورة", "resolved", "customer", "نورة"),
        ("تم وضع علامة على المحادثة كمحلولة من قبل النظام بسبب 5 أيام من عدم النشاط", "resolved", "system", None),
        ("أعاد النظام فتح المحادثة بسبب رسالة واردة جديدة.", "open", "system", None),
        ("La conversation a été marquée résolue par Zoé", "resolved", "named", "Zoé"),
        ("La conversation a été ré-ouverte par Zoé", "open", "named", "Zoé"),
        ("La conversation a été résolue par Noura", "resolved", "customer", "Noura"),
        ("La conversation a été marquée comme résolue par le système en raison de 5 jours d'inactivité", "resolved", "system", None),
    ],
)  # fmt: skip
def test_that_notices_of_status_are_read(text: str, status: str, actor_kind: str, name: str | None) -> None:
    rows = sentence(text)
    assert [(r["status"], r["actor_kind"], r["performed_by_name"]) for r in rows["status_changes"]] == [
        (status, actor_kind, name)
    ]
    assert rows["label_changes"] == []


@pytest.mark.parametrize(
    "text",
    [
        "Sara removed the priority",
        "Sara added SLA policy Gold",
        "Sara removed SLA policy Gold",
        "Admin added Ali as a participant",
        "سارة أزال الأولوية",
        "سارة أضاف سياسة مستوى الخدمة Gold",
        "Assigned to Sara by Ali",
        "Sara self-assigned this conversation",
        "",
    ],
)
def test_that_other_notices_are_neither_labels_nor_status(text: str) -> None:
    rows = sentence(text)
    assert rows["label_changes"] == [] == rows["status_changes"]
    assert len(rows["messages"]) == 1


def test_that_an_id_and_a_phone_of_one_contact_are_told_apart_by_their_look() -> None:
    page = {
        "payload": [
            {
                "id": 501,
                "phone_number": "+966 50 000 0101",
                "contact_inboxes": [
                    {"source_id": "966500000102", "inbox": {"id": 7}},
                    {"source_id": "SA.400", "inbox": {"id": 7}},
                    {"source_id": "b0a7-web-widget", "inbox": {"id": 8}},
                ],
            }
        ]
    }
    rows = parsed([("GET /contacts", page)])
    found = {(r["source_id"], r["user_id"], r["phone"]) for r in rows["contact_inboxes"]}
    assert found == {
        ("966500000102", None, "966500000101"),
        ("SA.400", "SA.400", "966500000101"),
        ("b0a7-web-widget", None, "966500000101"),
    }


@pytest.mark.skipif(not SAMPLES.exists(), reason="the samples are not part of the repository; SALWA_SAMPLES names them")
def test_that_the_samples_have_no_rejects() -> None:
    kinds = json.loads((SAMPLES / "kinds.json").read_text(encoding="utf-8"))
    paths = sorted((SAMPLES / "chatwoot").glob("*.json"))
    deliveries = [(kinds[f"chatwoot/{path.name}"], json.loads(path.read_text(encoding="utf-8"))) for path in paths]
    rows = parsed(deliveries)
    assert rows["rejects"] == []
    assert accounted_lines(rows) == set(range(1, len(deliveries) + 1))
    assert len(rows["conversations"]) == 17
    assert len({row["message_id"] for row in rows["messages"]}) == 12
