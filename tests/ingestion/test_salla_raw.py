"""Salla's landed lines as typed rows: every line becomes rows or a reject with a reason, whatever its shape."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion.landing import Delivery, landed_line
from ingestion.loading import LINES, parse
from ingestion.salla import SALLA

SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples"
RECEIVED = "2026-11-10T00:00:00+00:00"


def parsed(*deliveries: tuple[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The raw tables of (kind, body) pairs, one landed line each."""
    lines = [
        landed_line(Delivery(json.dumps(body, ensure_ascii=False).encode(), kind, RECEIVED)).decode()
        for kind, body in deliveries
    ]
    table = pa.table(
        {
            "workspace": ["shop"] * len(lines),
            "landing_file": ["shop/salla/2026-11-10/a.ndjson.gz"] * len(lines),
            "landing_line": range(1, len(lines) + 1),
            "line": lines,
        },
        schema=LINES,
    )
    return {name: rows.to_pylist() for name, rows in parse(SALLA, table)}


def told_lines(tables: dict[str, list[dict[str, Any]]]) -> set[int]:
    """The lines that became a row of any kind, or a reject."""
    return {row["landing_line"] for name, rows in tables.items() if name != "landed_lines" for row in rows}


def answer(data: Any) -> dict[str, Any]:
    return {"status": 200, "success": True, "data": data}


def event(name: str, data: Any, at: str = "Sun Nov 01 2026 14:05:09 GMT+0300") -> dict[str, Any]:
    return {"event": name, "merchant": 1100220033, "created_at": at, "data": data}


@pytest.mark.skipif(not SAMPLES.exists(), reason="the samples are not part of the repository")
def test_every_sample_becomes_rows() -> None:
    kinds = json.loads((SAMPLES / "kinds.json").read_text(encoding="utf-8"))
    names = [name for name in kinds if name.startswith("salla/")]
    tables = parsed(*[(kinds[name], json.loads((SAMPLES / name).read_text(encoding="utf-8"))) for name in names])
    assert len(names) > 60
    assert told_lines(tables) == set(range(1, len(names) + 1))
    assert tables["rejects"] == []
    assert {row["order_id"] for row in tables["orders"]} == {f"91000000{n}" for n in range(1, 6)}
    assert {row["shape"] for row in tables["orders"]} == {
        "list",
        "details",
        "webhook",
        "status_event",
        "shipment_event",
    }
    notes = [row for row in tables["invoices"] if row["invoice_type"] == "Credit Note"]
    assert [(row["order_id"], row["total"], row["has_clock_time"]) for row in notes] == [
        ("910000003", Decimal("115.0000"), False)
    ]
    status = next(row for row in tables["orders"] if row["shape"] == "status_event")
    assert (status["order_id"], status["status_slug"]) == ("910000001", "delivered")
    assert {row["history_id"] for row in tables["order_histories"] if row["order_id"]} == {"940000003"}
    assert sum(row["object_kind"] == "error" for row in tables["other_objects"]) == len(
        [name for name in names if "error_" in name or "invalid_grant" in name]
    )


CALLS = [
    ("GET /orders", "orders"),
    ("GET /admin/v2/orders?page=2&per_page=30", "orders"),
    ("get https://api.salla.dev/admin/v2/orders/", "orders"),
    ("GET /orders/910000002", "orders"),
    ("GET /orders/910000002?format=light", "orders"),
    ("GET /orders/{id}", "orders"),
    ("GET /orders/items?order_id=7", "order_items"),
    ("GET /admin/v2/orders/items?page=1&order_id=7", "order_items"),
    ("GET /orders/7/histories?page=1", "order_histories"),
    ("GET /orders/invoices/55", "invoices"),
    ("GET /carts/abandoned?page=3", "carts"),
    ("GET /customers/700", "customers"),
    ("GET /transactions", "transactions"),
    ("GET /settings/fields/reports.order_statuses", "report_statuses"),
    ("GET /some/thing/new", "other_objects"),
    ("POST /orders", "other_objects"),
]


def test_a_call_reads_the_same_however_it_is_written() -> None:
    tables = parsed(*[(kind, answer([{"id": 7}])) for kind, _table in CALLS])
    assert tables["rejects"] == []
    for line, (kind, table) in enumerate(CALLS, 1):
        assert [row["landing_line"] for row in tables[table]].count(line) == 1, kind


def test_an_order_asked_for_by_path_or_query_is_the_one_its_lines_belong_to() -> None:
    tables = parsed(
        ("GET /admin/v2/orders/items?order_id=41", answer([{"id": 1}])),
        ("GET /orders/42/histories", answer([{"id": 2}])),
        ("GET /orders/items", answer([{"id": 3}])),
    )
    assert [row["order_id"] for row in tables["order_items"]] == ["41", None]
    assert [row["order_id"] for row in tables["order_histories"]] == ["42"]


DATES: list[tuple[Any, str | None, str | None]] = [
    (
        {"date": "2026-11-01 23:58:07.500000", "timezone_type": 3, "timezone": "Asia/Riyadh"},
        "2026-11-01T23:58:07.500000",
        "Asia/Riyadh",
    ),
    (
        {"date": "2026-11-01 23:58:07.000000", "timezone_type": 3, "timezone": "Africa/Cairo"},
        "2026-11-01T23:58:07",
        "Africa/Cairo",
    ),
    ({"date": "2026-11-01 23:58:07.000000", "timezone_type": 1, "timezone": "+03:00"}, "2026-11-01T20:58:07", "UTC"),
    (
        {"date": "2026-11-01 23:58:07.000000", "timezone_type": 3, "timezone": "Nowhere/Town"},
        "2026-11-01T23:58:07",
        None,
    ),
    ("2026-11-01 23:58:07", "2026-11-01T23:58:07", None),
    ("2026-11-01", "2026-11-01T00:00:00", None),
    ("Sun Nov 01 2026 23:58:07 GMT+0300", "2026-11-01T20:58:07", "UTC"),
    ("Sun Nov 01 2026 23:58:07 GMT+0300 (Arabian Standard Time)", "2026-11-01T20:58:07", "UTC"),
    ("Sun Nov 1 2026 23:58:07 GMT-0330", "2026-11-02T03:28:07", "UTC"),
    ("2026-11-01T23:58:07+03:00", "2026-11-01T20:58:07", "UTC"),
    ("2026-11-01T23:58:07+0300", "2026-11-01T20:58:07", "UTC"),
    ("2026-11-01T20:58:07.25Z", "2026-11-01T20:58:07.250000", "UTC"),
    (1793566687, "2026-11-01T20:58:07", "UTC"),
    ("1793566687", "2026-11-01T20:58:07", "UTC"),
    ("0000-00-00 00:00:00", None, None),
    ("-0001-11-30 00:00:00", None, None),
    ("290000-01-01 00:00:00+01:00", None, None),
    ("soon", None, None),
    ({}, None, None),
    ([], None, None),
    (None, None, None),
    (True, None, None),
]


def test_dates() -> None:
    rows = parsed(("GET /orders", answer([{"id": n, "date": date[0]} for n, date in enumerate(DATES)])))["orders"]
    found = {int(row["order_id"]): (row["ordered_local"], row["ordered_zone"]) for row in rows}
    for number, (value, local, zone) in enumerate(DATES):
        assert found[number] == (None if local is None else datetime.fromisoformat(local), zone), value


AMOUNTS: list[tuple[Any, str | None]] = [
    ({"amount": 356.5, "currency": "SAR"}, "356.5"),
    ({"amount": "300.00", "currency": "SAR"}, "300"),
    (230, "230"),
    ("1,250.75", "1250.75"),
    ("١٢٫٥", "12.5"),
    ({"amount": 0.1}, "0.1"),
    ({}, None),
    (None, None),
    ([], None),
    ("free", None),
    ("1,25", None),
    ({"amount": {"amount": 1}}, None),
]


def test_money() -> None:
    rows = parsed(("GET /orders", answer([{"id": n, "total": money[0]} for n, money in enumerate(AMOUNTS)])))["orders"]
    found = {int(row["order_id"]): row["total"] for row in rows}
    for number, (value, amount) in enumerate(AMOUNTS):
        assert found[number] == (None if amount is None else Decimal(amount)), value


def test_what_cannot_be_read_is_said() -> None:
    tables = parsed(
        ("GET /orders", answer([{"id": 1, "date": "soon", "total": "free"}, 7, {"reference_id": 3}])),
        ("webhook", {"hello": "world"}),
        ("webhook", event("order.created", None)),
        ("webhook", event("order.created", {"id": 9, "items": ["x"]})),
    )
    reasons = {(row["landing_line"], row["item_path"], row["reason"]) for row in tables["rejects"]}
    assert reasons == {
        (1, "data[0].date", "order with an unreadable date"),
        (1, "data[0].total", "order with an unreadable total"),
        (1, "data[1]", "order is not an object"),
        (1, "data[2]", "order without an id"),
        (2, None, "a webhook without an event"),
        (3, "order", "order is not an object"),
        (4, "order.items[0]", "a line of an order is not an object"),
    }


def test_details_do_not_say_that_an_order_has_no_lines() -> None:
    tables = parsed(
        ("GET /orders/1", answer({"id": 1})),
        ("webhook", event("order.created", {"id": 1, "items": []})),
        ("GET /orders", answer([{"id": 1, "items": [{"name": "عسل", "quantity": "2"}]}])),
    )
    assert {row["landing_line"]: row["items_state"] for row in tables["orders"]} == {
        1: "not_told",
        2: "told",
        3: "named",
    }


def test_a_one_time_password_is_not_kept() -> None:
    tables = parsed(("webhook", event("customer.otp.request", {"id": 1, "code": "123456"})))
    assert [row["details"] for row in tables["other_objects"]] == [None]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "data",
                    "order",
                    "cart",
                    "items",
                    "customer",
                    "date",
                    "created_at",
                    "updated_at",
                    "status",
                    "amount",
                    "total",
                    "amounts",
                    "currency",
                    "error",
                    "success",
                    "product",
                    "timezone",
                    "mobile",
                    "order_statuses",
                    "references",
                    "categories",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=25,
)
KINDS = st.sampled_from(
    [
        "GET /orders",
        "GET /orders/5",
        "GET /orders/items?order_id=5",
        "GET /orders/5/histories",
        "GET /orders/invoices",
        "GET /customers",
        "GET /carts/abandoned",
        "GET /products",
        "GET /transactions",
        "GET /store/info",
        "GET /orders/statuses",
        "GET /employees",
        "GET /settings/fields/reports.order_statuses",
        "GET /reviews",
        "error",
        "webhook",
        "",
        "GET",
        "?",
        "GET /orders/{id}",
    ]
)
EVENTS = st.sampled_from(
    [
        "order.created",
        "order.status.updated",
        "order.shipment.created",
        "abandoned.cart",
        "coupon.applied",
        "customer.updated",
        "invoice.created",
        "product.deleted",
        "review.added",
        "app.installed",
        "x",
    ]
)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            KINDS, st.one_of(JSON.map(answer), JSON.map(lambda x: x if isinstance(x, (dict, list)) else {"data": x}))
        )
        | st.tuples(st.just("webhook"), st.builds(event, EVENTS, JSON)),
        min_size=60,
        max_size=90,
    )
)
def test_no_line_is_lost_or_stops_the_load(deliveries: list[tuple[str, Any]]) -> None:
    tables = parsed(*deliveries)
    assert told_lines(tables) == set(range(1, len(deliveries) + 1))


def test_the_order_of_lines_does_not_matter() -> None:
    deliveries = [
        ("GET /orders", answer([{"id": 1, "total": 5}, {"id": 2, "total": 6}])),
        ("webhook", event("order.updated", {"id": 1, "total": 7})),
    ]
    address = ("landing_line", "position", "received_at")

    def content(tables: dict[str, list[dict[str, Any]]]) -> list[Any]:
        return sorted(
            (name, sorted((k, str(v)) for k, v in row.items() if k not in address))
            for name, rows in tables.items()
            for row in rows
            if name != "landed_lines"
        )

    assert content(parsed(*deliveries)) == content(parsed(*reversed(deliveries)))


def test_tombstones_are_told_or_rejected() -> None:
    gone_at = "2026-11-05T10:00:00+00:00"
    bodies: list[Any] = [
        {"entity": "order", "id": "7", "gone_at": gone_at},
        {"entity": "cart", "id": 8, "gone_at": gone_at},
        {"entity": "review", "id": 9, "gone_at": gone_at},
        {"entity": "order", "gone_at": gone_at},
        {"entity": ["order"], "id": {}, "gone_at": 5},
        {},
        [],
    ]
    tables = parsed(*[("tombstone", body) for body in bodies])
    assert told_lines(tables) == set(range(1, len(bodies) + 1))
    told = datetime.fromisoformat("2026-11-05T10:00:00")
    order, cart = tables["orders"][0], tables["carts"][0]
    assert (order["order_id"], order["shape"], order["told_local"], order["told_zone"]) == ("7", "tombstone", told, "UTC")
    assert order["status_slug"] is None
    assert (cart["cart_id"], cart["event"], cart["told_local"]) == ("8", "cart.tombstone", told)
    assert {row["landing_line"] for row in tables["rejects"]} == {4}
    assert len(tables["orders"]) == len(tables["carts"]) == 1


def test_what_salla_counts_is_kept_where_it_counts_a_whole_list_or_days_of_it() -> None:
    def page(total: Any, **more: Any) -> dict[str, Any]:
        return answer([{"id": 1}]) | {"pagination": {"total": total, "currentPage": 1, "totalPages": 1}} | more

    tables = parsed(
        ("GET /orders?sort_by=updated_at-desc&page=1&per_page=30", page(41)),
        ("GET /admin/v2/orders?from_date=2026-11-02&to_date=2026-11-03&page=2", page("5")),
        ("GET /orders?status%5B%5D=566146469&page=1", page(3)),
        ("GET /orders?keyword=x", page(3)),
        ("GET /orders?from_date=soon", page(3)),
        ("GET /orders/items?order_id=7", page(3)),
        ("GET /orders/7/histories", page(3)),
        ("GET /carts/abandoned?page=1", answer([]) | {"pagination": {"total": 0}}),
        ("GET /products/tags?page=1", answer([]) | {"pagenation": {"total": 1}}),
        ("GET /orders", page(14)),  # an archive that keeps no query: of which days?
        ("GET /customers", page(None)),
        ("GET /customers", page([1])),
        ("GET /customers", page(9, success=False, status=500)),
        ("webhook", event("order.created", {"id": 1}) | {"pagination": {"total": 5}}),
    )
    found = {(row["kind"], str(row["from_date"]), str(row["to_date"]), row["total"]) for row in tables["list_totals"]}
    assert found == {
        ("GET /orders", "None", "None", 41),
        ("GET /orders", "2026-11-02", "2026-11-03", 5),
        ("GET /carts/abandoned", "None", "None", 0),
        ("GET /products/tags", "None", "None", 1),
    }
