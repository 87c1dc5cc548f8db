"""Whatever a webhook holds: the loader does not raise, and every line ends in rows or in rejects."""

from __future__ import annotations

import json
import random
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ingestion.chatwoot import CHATWOOT
from ingestion.landing import Delivery, landed_line
from ingestion.loading import LINES, LandedSource, parse, text_array
from ingestion.redaction import redact
from ingestion.salla import SALLA
from ingestion.whatsapp import WHATSAPP

WORDS = {
    "whatsapp": [
        "object",
        "entry",
        "id",
        "time",
        "changes",
        "field",
        "value",
        "messages",
        "statuses",
        "contacts",
        "errors",
        "metadata",
        "phone_number_id",
        "timestamp",
        "type",
        "text",
        "body",
        "from",
        "to",
        "wa_id",
        "user_id",
        "profile",
        "name",
        "status",
        "conversation",
        "pricing",
        "recipient_id",
        "context",
        "referral",
        "message_echoes",
        "history",
        "threads",
        "state_sync",
        "reaction",
        "interactive",
        "button",
        "system",
    ],
    "chatwoot": [
        "event",
        "id",
        "account",
        "inbox",
        "conversation",
        "messages",
        "message_type",
        "content",
        "sender",
        "contact",
        "meta",
        "labels",
        "status",
        "created_at",
        "changed_attributes",
        "performed_by",
        "previous_value",
        "current_value",
        "additional_attributes",
        "private",
        "source_id",
        "channel",
        "assignee",
        "team",
        "updated_at",
        "contact_inbox",
        "unread_count",
        "last_activity_at",
        "waiting_since",
        "first_reply_created_at",
    ],
    "salla": [
        "event",
        "merchant",
        "created_at",
        "data",
        "id",
        "order",
        "status",
        "slug",
        "customized",
        "customer",
        "mobile",
        "mobile_code",
        "items",
        "product",
        "amounts",
        "total",
        "amount",
        "currency",
        "date",
        "timezone",
        "payment_method",
        "cart_id",
        "checkout_url",
        "reference_id",
        "note",
        "rating",
        "invoices",
        "shipments",
        "first_name",
        "updated_at",
        "histories",
        "age_in_minutes",
        "taxed",
        "tags",
    ],
}
VALUES = {
    "whatsapp": [
        "whatsapp_business_account", "messages", "smb_message_echoes", "history", "smb_app_state_sync", "user_id_update",
        "account_update", "template_category_update", "text", "image", "sent", "read", "failed", "user_changed_number",
        "1790000000", "-1", "99999999999999999999", "1e3", "966500000101",
    ],
    "chatwoot": [
        "message_created", "message_updated", "conversation_created", "conversation_updated", "conversation_status_changed",
        "contact_updated", "webwidget_triggered", "incoming", "outgoing", "template", "activity", "open", "resolved",
        "2026-11-01T09:00:00.000Z", "2026-13-45", "+966500000101", "user", "label_list",
    ],
    "salla": [
        "order.created", "order.status.updated", "order.deleted", "abandoned.cart", "abandoned.cart.purchased",
        "customer.updated", "product.deleted", "invoice.created", "review.added", "app.store.authorize", "under_review",
        "2026-11-01 09:00:00", "0000-00-00 00:00:00", "Asia/Riyadh", "Mars/Base", "SAR", "٥", "12.345", "-0",
    ],
}  # fmt: skip
ODD = [
    None, True, False, 0, -1, 1.5, 1e308, 10**12, 10**17, 2**63 - 1, -(2**63), 10**40, "", " ", "\x00", "\ud800", "\u200f",
    "null", "[]", "{}", "NaN", "9223372036854775807", "-9223372036854775808", "100000000000000000", "1e400", "infinity",
    "-infinity", "epoch", "294247-01-10T04:00:54Z", "0001-01-01 (BC) 00:00:00", "2026-11-01T09:00:00+99:99",
]  # fmt: skip
TYPICAL: dict[str, dict[str, Any]] = {
    "whatsapp": {
        "object": "whatsapp_business_account",
        "entry": [
            {
                "id": "700",
                "changes": [
                    {
                        "field": "messages",
                        "value": {
                            "metadata": {"phone_number_id": "800", "display_phone_number": "966110000000"},
                            "contacts": [{"wa_id": "966500000101", "profile": {"name": "ن"}}],
                            "messages": [
                                {"id": "wamid.1", "from": "966500000101", "timestamp": "1790000000", "type": "text"}
                            ],
                            "statuses": [{"id": "wamid.2", "status": "read", "timestamp": "1790000001"}],
                        },
                    }
                ],
            }
        ],
    },
    "chatwoot": {
        "event": "message_created",
        "id": 5,
        "message_type": "incoming",
        "created_at": "2026-11-01T09:00:00.000Z",
        "account": {"id": 1},
        "inbox": {"id": 2},
        "sender": {"id": 3, "phone_number": "+966500000101"},
        "conversation": {"id": 9, "status": "open", "labels": ["vip"], "meta": {"assignee": {"id": 4}}},
        "changed_attributes": [{"label_list": {"previous_value": [], "current_value": ["vip"]}}],
    },
    "salla": {
        "event": "order.created",
        "merchant": 1100220033,
        "created_at": "2026-11-01 09:00:00",
        "data": {
            "id": 910000001,
            "status": {"slug": "under_review", "customized": None},
            "date": {"date": "2026-11-01 09:00:00.000000", "timezone": "Asia/Riyadh"},
            "amounts": {"total": {"amount": 115, "currency": "SAR"}},
            "customer": {"id": 4, "mobile": 500000101, "mobile_code": "+966"},
            "items": [{"id": 1, "quantity": 2, "product": {"id": 9}}],
        },
    },
}
SOURCES = {"whatsapp": WHATSAPP, "chatwoot": CHATWOOT, "salla": SALLA}


def anything(source: str) -> st.SearchStrategy[Any]:
    """JSON out of a source's own words, in the wrong places."""
    leaf = st.sampled_from([*ODD, *VALUES[source]]) | st.text(max_size=5) | st.integers() | st.floats(allow_nan=False)
    keys = st.sampled_from(WORDS[source]) | st.text(max_size=3)
    return st.recursive(
        leaf, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=5), max_leaves=12
    )


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths to everything in a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, below in inner for place in places(below, (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy of the document with something else at a path."""
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


def odd_value(chance: random.Random, source: str, depth: int = 0) -> Any:
    """JSON out of a source's own words and of what breaks parsers."""
    kind = chance.random()
    if depth > 3 or kind < 0.5:
        return chance.choice([*ODD, *VALUES[source], chance.randrange(-5, 10**10)])
    if kind < 0.75:
        return [odd_value(chance, source, depth + 1) for _ in range(chance.randrange(4))]
    return {chance.choice(WORDS[source]): odd_value(chance, source, depth + 1) for _ in range(chance.randrange(4))}


def odd_body(chance: random.Random, source: str) -> bytes:
    """A usual webhook with one to three things replaced; now and then something else altogether, or cut short."""
    document: Any = TYPICAL[source] if chance.random() < 0.95 else odd_value(chance, source)
    for _ in range(chance.randrange(1, 4)):
        document = replaced(document, chance.choice(places(document)), odd_value(chance, source))
    body = json.dumps(document).encode()
    kind = chance.random()
    if kind < 0.05:
        return body[: -chance.randrange(1, 40)]
    return body if kind < 0.98 else chance.randbytes(20)


def table_of(lines: list[bytes]) -> pa.Table:
    count = len(lines)
    columns = [["default"] * count, ["f"] * count, list(range(1, count + 1)), text_array(lines)]
    return pa.table(dict(zip(LINES.names, columns, strict=True)), schema=LINES)


def lost_lines(source: LandedSource, lines: list[bytes]) -> list[bytes]:
    """The lines of which no row and no reject speaks."""
    tables = dict(parse(source, table_of(lines)))
    assert sorted(tables["landed_lines"]["landing_line"].to_pylist()) == list(range(1, len(lines) + 1))
    told = {
        line for name, table in tables.items() if name != "landed_lines" for line in table["landing_line"].to_pylist()
    }
    return [line for number, line in enumerate(lines, 1) if number not in told]


def raising(source: LandedSource, lines: list[bytes]) -> bytes | None:
    """A line over which the loader stumbles."""
    for line in lines:
        try:
            lost_lines(source, [line])
        except Exception:
            return line
    return None


@pytest.mark.parametrize("name", SOURCES)
def test_no_shape_raises_or_is_lost(name: str) -> None:
    """Many bodies at a time, for a load takes its time whatever it holds."""

    @settings(max_examples=3, deadline=None, database=None, derandomize=True, phases=[Phase.generate])
    @given(st.integers(0, 2**32))
    def check(seed: int) -> None:
        chance = random.Random(seed)
        lines = [landed_line(Delivery(redact(odd_body(chance, name)))) for _ in range(1000)]
        try:
            lost = lost_lines(SOURCES[name], lines)
        except duckdb.Error as error:
            pytest.fail(f"{error}: {raising(SOURCES[name], lines)!r}")
        assert lost == []

    check()


@given(st.integers(0, 2**32).map(lambda seed: odd_body(random.Random(seed), "salla")) | st.binary(max_size=30))
@settings(max_examples=300, deadline=None, database=None, derandomize=True)
def test_redaction_never_raises_and_changes_only_what_is_secret(body: bytes) -> None:
    cleaned = redact(body)
    assert cleaned == body or b"[redacted]" in cleaned


@given(anything("salla"), st.text(min_size=8, max_size=30, alphabet="abcdef0123456789_"))
@settings(max_examples=200, deadline=None, database=None, derandomize=True)
def test_a_token_goes_wherever_it_is(inner: Any, chars: str) -> None:
    token = f"ory_at_{chars}"
    for document in (
        {"data": {"access_token": token, "x": inner}},
        [inner, {"Refresh_Token": token}],
        {"x": inner, "text": json.dumps({"access_token": token})},
    ):
        for is_ascii in (True, False):
            text = json.dumps(document, ensure_ascii=is_ascii)
            cleaned = redact(text.encode("utf-8", "surrogatepass"))
            assert token.encode() not in cleaned
