"""Pulling a store that lives on: what landed equals the store, whatever Salla does meanwhile and wherever we die."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from conftest import KEY
from fakes.salla import MERCHANT, NOW, FakeClock, FakeSalla, Habits, total

from ingestion import state
from ingestion.erasing.register import Id, people_of
from ingestion.errors import SalwaError
from ingestion.landing import Delivery, LandingWriter, landed_files, read_lines
from ingestion.loading import LINES, batches, parse
from ingestion.salla import SALLA, asking, budget, hints, orders, sweep
from ingestion.salla import pull as pulling
from ingestion.salla.budget import Budget
from ingestion.salla.check import check_salla
from ingestion.salla.pull import Depth, Pulled, pull_salla
from ingestion.salla.tokens import Disconnected, store_tokens
from ingestion.settings import Settings

Row = dict[str, Any]


@pytest.fixture(autouse=True)
def few_days(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stores here are young: list fewer days again."""
    assert orders.RELISTED_DAYS == 60
    monkeypatch.setattr(orders, "RELISTED_DAYS", 24)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def salla(clock: FakeClock) -> FakeSalla:
    return FakeSalla(clock)


@pytest.fixture
def shop(tmp_path: Path, salla: FakeSalla) -> Iterator[Settings]:
    """Settings of a workspace whose store is connected."""
    with salla.serving() as url:
        settings = Settings(
            data=tmp_path / "data",
            phone_key=KEY,  # type: ignore[arg-type]
            salla_api=f"{url}/admin/v2",
            salla_accounts=url,
            salla_client_id="client-id",
            salla_client_secret="client-secret",  # type: ignore[arg-type]
        )
        store_tokens(settings, "default", MERCHANT, salla.install(), NOW)
        yield settings


def grown(salla: FakeSalla, days: int = 12, a_day: int = 4, moments: int = 60) -> None:
    """A store with a history."""
    for _ in range(4):
        salla.add_customer()
    for back in range(days):
        for n in range(a_day):
            salla.add_order(salla.clock.at - timedelta(days=back, hours=n))
    salla.live(moments)


def pulled(settings: Settings, clock: FakeClock, depth: Depth = "refresh", **more: Any) -> Pulled:
    return pull_salla(settings, "default", depth, clock(), sleep=clock.sleep, clock=clock, **more)


def pull_until_still(settings: Settings, clock: FakeClock, depth: Depth = "refresh", runs: int = 12) -> list[str]:
    """Pull, an hour apart, until nothing waits; the problems on the way."""
    problems: list[str] = []
    for _ in range(runs):
        found = pulled(settings, clock, depth)
        problems.extend(found.problems)
        clock.sleep(3600)
        if found.is_complete:
            return problems
    raise AssertionError(f"still waiting after {runs} pulls: {found}")


def landed(settings: Settings, *tables: str) -> dict[str, list[Row]]:
    """The raw tables of all that landed, each in the order in which it was received."""
    found = [lines for _names, lines in batches(landed_files(settings.landing, "salla"), settings.landing)]
    everything = pa.concat_tables(found) if found else LINES.empty_table()
    source = replace(SALLA, tables=tables)
    raw = {name: rows.to_pylist() for name, rows in parse(source, everything)}
    assert raw["rejects"] == []
    for rows in raw.values():
        rows.sort(key=lambda row: (row.get("received_at") or datetime.min.replace(tzinfo=UTC), row["landing_line"]))
    return raw


def newest(rows: list[Row], key: str, value: Callable[[Row], Any]) -> dict[str, Any]:
    return {row[key]: value(row) for row in rows}


def seen_orders(settings: Settings) -> dict[str, Any]:
    """Orders as what landed tells them: {id: (status, total, payment)} of those that are not gone."""
    return orders_in(landed(settings, "orders")["orders"])


def orders_in(rows: list[Row]) -> dict[str, Any]:
    told = newest(rows, "order_id", lambda row: row["event"] == "order.tombstone")
    answers = [row for row in rows if row["shape"] in ("list", "details")]
    states = newest(answers, "order_id", lambda row: (row["status_slug"], float(row["total"]), row["payment_method"]))
    return {order_id: states[order_id] for order_id, is_gone in told.items() if not is_gone}


def seen_carts(settings: Settings) -> set[str]:
    return carts_in(landed(settings, "carts")["carts"])


def carts_in(rows: list[Row]) -> set[str]:
    """Open carts as what landed tells them."""
    closed = newest(rows, "cart_id", lambda row: row["event"] == "cart.tombstone" or row["status"] == "purchased")
    return {cart_id for cart_id, is_closed in closed.items() if not is_closed}


def rest_in(raw: dict[str, list[Row]], alive: set[str]) -> dict[str, Any]:
    """Everything else as what landed tells it."""
    tellings: dict[str, tuple[Any, dict[str, float]]] = {}
    for row in raw["order_items"]:
        if row["shape"] == "items":
            place = (row["landing_file"], row["landing_line"])
            if tellings.get(row["order_id"], (None,))[0] != place:
                tellings[row["order_id"]] = (place, {})
            tellings[row["order_id"]][1][row["item_id"]] = float(row["quantity"])
    histories: dict[str, set[str]] = {}
    for row in raw["order_histories"]:
        histories.setdefault(row["order_id"], set()).add(row["history_id"])
    products = [row for row in raw["products"] if row["seen_in"] == "product"]
    return {
        "detailed": {row["order_id"] for row in raw["orders"] if row["shape"] == "details"} & alive,
        "lines": {order_id: tellings[order_id][1] for order_id in alive if order_id in tellings},
        "histories": {order_id: histories[order_id] for order_id in alive if order_id in histories},
        "customers": {row["customer_id"] for row in raw["customers"] if row["seen_in"] == "customer"},
        "products": newest(products, "product_id", lambda row: row["product_name"]),
        "transactions": newest(raw["transactions"], "transaction_id", lambda row: row["status"]),
        "invoices": newest(raw["invoices"], "invoice_id", lambda row: (row["order_id"], float(row["total"]))),
    }


def truth(salla: FakeSalla) -> dict[str, Any]:
    """The store itself."""
    found = salla.orders.values()
    return {
        "orders": {str(o["id"]): (o["slug"], float(total(o)), o["payment_method"]) for o in found},
        "detailed": {str(o["id"]) for o in found},
        "lines": {str(o["id"]): {str(line["id"]): float(line["quantity"]) for line in o["lines"]} for o in found},
        "histories": {str(o["id"]): {str(entry["id"]) for entry in o["history"]} for o in found},
        "carts": {str(cart_id) for cart_id in salla.carts},
        "customers": {str(customer_id) for customer_id in salla.customers},
        "products": {str(p["id"]): p["name"] for p in salla.products.values()},
        "transactions": {str(t["id"]): t["status"]["slug"] for t in salla.transactions.values()},
        "invoices": {str(i["id"]): (str(i["order_id"]), float(i["total"])) for i in salla.invoices.values()},
    }


def assert_equal(settings: Settings, salla: FakeSalla, is_whole: bool = True, histories: bool = True) -> None:
    """What landed equals the store; unless `is_whole`, only its orders and carts are compared.

    A status that changes and changes back between two pulls leaves no trace in the list: where that happens, of the
    histories only this is known, that nothing in them is invented.
    """
    real = truth(salla)
    assert real["orders"]
    rest_of_it = ("order_items", "order_histories", "customers", "products", "transactions", "invoices")
    raw = landed(settings, "orders", "carts", *(rest_of_it if is_whole else ()))
    orders_seen = orders_in(raw["orders"])
    assert orders_seen == real["orders"]
    assert carts_in(raw["carts"]) == real["carts"]
    if is_whole:
        rest = rest_in(raw, set(orders_seen))
        if not histories:
            assert all(told <= real["histories"][order_id] for order_id, told in rest.pop("histories").items())
        for name, value in rest.items():
            assert value == real[name], name


def assert_no_tokens(settings: Settings) -> None:
    """No token anywhere but in secrets/."""
    for path in settings.data.rglob("*"):
        if path.is_file() and path.parent.name != "secrets":
            content = b"\n".join(read_lines(path)) if path.name.endswith(".gz") else path.read_bytes()
            assert b"SECRET" not in content, path


def webhook(settings: Settings, clock: FakeClock, event: str, data: Row, name: str) -> None:
    body = {"event": event, "merchant": MERCHANT, "created_at": f"{clock.at:%Y-%m-%d %H:%M:%S}", "data": data}
    day = clock.at.date().isoformat()
    with LandingWriter(settings.landing, "default", "salla", f"receive-{name}", day=day) as writer:
        writer.append(Delivery(json.dumps(body).encode(), "webhook", clock.at.isoformat(), str(MERCHANT)))


def asked(salla: FakeSalla, path: str) -> list[str]:
    return [target for _method, target, _at in salla.requests if target.startswith(f"/admin/v2{path}")]


def test_backfill_and_increments_equal_the_store(
    shop: Settings, salla: FakeSalla, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    grown(salla, days=20)
    assert pull_until_still(shop, clock) == []
    assert_equal(shop, salla, is_whole=False)
    for _ in range(3):
        salla.live(25)
        assert pull_until_still(shop, clock, "nightly") == []
    salla.add_cart()  # a list without a single cart is doubted for long
    pull_until_still(shop, clock, "nightly")
    pull_until_still(shop, clock, "nightly")
    assert_equal(shop, salla)
    assert_no_tokens(shop)
    assert "SECRET" not in caplog.text


def test_a_pull_of_nothing_new_lands_nothing_and_asks_little(
    shop: Settings, salla: FakeSalla, clock: FakeClock
) -> None:
    grown(salla)
    pull_until_still(shop, clock)
    before = len(salla.requests)
    found = pulled(shop, clock)
    assert (found.pages, found.objects, found.problems) == (0, 0, [])
    assert len(salla.requests) - before < 20


def test_what_salla_counts_lands_when_it_changes(shop: Settings, salla: FakeSalla, clock: FakeClock) -> None:
    grown(salla)
    for _ in range(3):
        salla.add_cart()
    pull_until_still(shop, clock)
    for _ in range(2):
        assert counted(shop) == {
            "GET /orders": len(salla.orders),
            "GET /carts/abandoned": len(salla.carts),
            "GET /customers": len(salla.customers),
            "GET /products": len(salla.products),
            "GET /transactions": len(salla.transactions),
        }
        salla.delete(next(iter(salla.orders)))  # changes no row of the list
        del salla.carts[next(iter(salla.carts))]
        assert pulled(shop, clock).pages == 2
        assert pulled(shop, clock).pages == 0


def counted(settings: Settings) -> dict[str, int]:
    """The newest total of each whole list that landed."""
    rows = landed(settings, "list_totals")["list_totals"]
    return {row["kind"]: row["total"] for row in rows if row["from_date"] is None}


def test_each_week_a_year_is_listed_again(shop: Settings, salla: FakeSalla, clock: FakeClock) -> None:
    """Edits and deletions further back than the nightly listing are found within a week, unless a wave of them."""
    grown(salla, days=12, a_day=8, moments=0)
    old = [salla.add_order(NOW - timedelta(days=back)) for back in (30, 60, 61, 90, 140, 200, 300, 364)]
    older = salla.add_order(NOW - timedelta(days=420))
    pull_until_still(shop, clock)
    salla.habits = Habits(ignored={"sort_by"})  # nothing but the sweep sees what happens back there
    edited, gone = old[4], [old[1], old[5]]
    salla.orders[edited]["slug"] = salla.orders[older]["slug"] = "shipped"
    for order_id in gone:
        salla.delete(order_id)
    for _ in range(6):
        clock.sleep(86_400)
        pulled(shop, clock, "nightly")
    seen = seen_orders(shop)
    assert (seen[str(edited)][0], set(map(str, gone)) <= set(seen)) == ("under_review", True)
    clock.sleep(86_400)
    asked_before = len(asked(salla, "/orders?from_date=2026-0"))
    pulled(shop, clock, "nightly")
    assert len(asked(salla, "/orders?from_date=2026-0")) - asked_before >= 8
    seen = seen_orders(shop)
    assert (seen[str(edited)][0], set(map(str, gone)) <= set(seen)) == ("shipped", True)
    clock.sleep(3600)
    pulled(shop, clock)  # the second answer that they are not there
    seen = seen_orders(shop)
    assert set(map(str, gone)) & set(seen) == set()
    assert set(map(str, set(old) - set(gone))) <= set(seen)
    assert seen[str(older)][0] == "under_review"  # beyond a year
    asked_before = len(asked(salla, "/orders?from_date=2026-0"))
    clock.sleep(86_400)
    pulled(shop, clock, "nightly")
    assert len(asked(salla, "/orders?from_date=2026-0")) == asked_before


def test_a_sweep_goes_on_where_the_night_ended(
    shop: Settings, salla: FakeSalla, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "WINDOW_DAYS", 6)
    grown(salla, days=3, moments=0)
    for back in range(30, 360, 20):
        salla.add_order(NOW - timedelta(days=back))
    pull_until_still(shop, clock)
    victim = next(o["id"] for o in salla.orders.values() if NOW - timedelta(days=300) > o["made"])
    salla.delete(victim)
    clock.sleep(8 * 86_400)
    salla.habits = Habits(limit=60)
    nights = 0
    while str(victim) in seen_orders(shop) and nights < 20:
        pulled(shop, clock, "nightly", seconds=90.0)
        nights += 1
        clock.sleep(86_400)
    assert 2 < nights < 20
    assert_equal(shop, salla, is_whole=False)


def test_a_sweep_that_misses_most_is_not_believed(shop: Settings, salla: FakeSalla, clock: FakeClock) -> None:
    grown(salla, days=3, moments=0)
    for back in range(40, 340, 10):
        salla.add_order(NOW - timedelta(days=back))
    pull_until_still(shop, clock)
    hidden = {n: o for n, o in salla.orders.items() if NOW - timedelta(days=35) > o["made"]}
    for order_id in hidden:
        del salla.orders[order_id]
    clock.sleep(8 * 86_400)
    assert any("swept orders" in line for line in pulled(shop, clock, "nightly").problems)
    salla.orders.update(hidden)
    for _ in range(3):
        clock.sleep(86_400)
        assert pulled(shop, clock, "nightly").problems == []
    assert_equal(shop, salla, is_whole=False)


def test_a_list_that_is_not_sorted_as_asked_is_noticed_and_done_without(
    shop: Settings, salla: FakeSalla, clock: FakeClock
) -> None:
    grown(salla, days=15, a_day=8, moments=30)
    pull_until_still(shop, clock)
    salla.habits = Habits(ignored={"sort_by"})
    clock.sleep(7200)
    oldest = min(salla.orders.values(), key=lambda order: order["made"])
    salla.change_status(oldest, "shipped")
    found = pulled(shop, clock)
    said = [line for line in found.problems if "ignores sort_by=updated_at-desc" in line]
    assert len(said) == 1
    assert seen_orders(shop) == truth(salla)["orders"]
    bad = [finding for finding in check_salla(shop, "default", clock()) if not finding.is_good]
    assert {finding.what for finding in bad} == {"lists: orders are not sorted as asked"}
    clock.sleep(3600)
    salla.change_status(oldest, "delivered")
    assert said[0] in pulled(shop, clock).problems  # known to be so: nothing is tried
    assert seen_orders(shop) == truth(salla)["orders"]
    salla.habits = Habits()
    clock.sleep(86_400)
    assert pulled(shop, clock, "nightly").problems == []
    pull_until_still(shop, clock)
    assert [finding for finding in check_salla(shop, "default", clock()) if not finding.is_good] == []
    assert_equal(shop, salla, is_whole=False)


def test_changes_that_details_do_not_tell_are_no_disorder(shop: Settings, salla: FakeSalla, clock: FakeClock) -> None:
    """A note on an old order puts it on top of the list; nothing else of it changes."""
    grown(salla, days=15, a_day=4, moments=30)
    pull_until_still(shop, clock)
    for order in sorted(salla.orders.values(), key=lambda o: o["made"])[:8]:
        order["updated"] = clock.at
    for _ in range(10):
        clock.sleep(3600)
        assert pulled(shop, clock).problems == []


def test_a_bad_day_at_salla(shop: Settings, salla: FakeSalla, clock: FakeClock) -> None:
    """500s, broken connections, 429, empty pages, rows twice, pages that move under the walk, a cache of lists."""
    grown(salla, days=15, a_day=5)
    salla.habits = Habits(
        errors=0.05, throttles=0.03, drops=0.02, empty_pages=0.05, duplicates=0.1, drift=0.1, cache_seconds=900
    )
    for _ in range(6):
        pulled(shop, clock, "nightly")
        clock.sleep(3600)
    assert salla.too_early == 0  # Retry-After was obeyed every time
    salla.habits = Habits()
    salla.add_cart()  # a list without a single cart is doubted for long
    for _ in range(4):
        pulled(shop, clock, "nightly")
        clock.sleep(3600)
    assert pulled(shop, clock, "nightly").is_complete
    assert_equal(shop, salla, histories=False)


def test_the_rate_is_kept(shop: Settings, salla: FakeSalla, clock: FakeClock) -> None:
    grown(salla, days=30, a_day=6)
    salla.habits = Habits(limit=120)
    began = clock.at
    found = pulled(shop, clock, "nightly", seconds=3600.0)
    assert found.problems == []
    assert salla.refused_calls == 0
    assert found.requests > 300
    minutes = (clock.at - began).total_seconds() / 60
    assert found.requests <= 120 * 0.8 * (minutes + 1)
    assert_no_more_than(salla, 120)


def assert_no_more_than(salla: FakeSalla, limit: int) -> None:
    counts: dict[int, int] = {}
    for _method, _target, at in salla.requests:
        minute = int(at.timestamp() // 60)
        counts[minute] = counts.get(minute, 0) + 1
    assert max(counts.values()) <= limit


def test_the_customers_own_cap(
    shop: Settings, salla: FakeSalla, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store with more pages of customers than ten minutes allow is read over several runs, without one refusal."""
    assert (budget.CUSTOMER_CALLS, budget.CUSTOMER_SECONDS) == (450, 600)
    for _ in range(70):
        salla.add_customer()
    salla.add_order()
    salla.habits = Habits(customer_limit=50)
    monkeypatch.setattr(budget, "CUSTOMER_CALLS", 45)
    monkeypatch.setattr(pulling, "PER_PAGE", 1)
    for _ in range(4):
        pulled(shop, clock, seconds=60.0)
    assert len(asked(salla, "/customers")) == 45
    for _ in range(3):
        clock.sleep(600)
        pulled(shop, clock)
    assert salla.refused_calls == 0
    customers = landed(shop, "customers")["customers"]
    assert {row["customer_id"] for row in customers if row["seen_in"] == "customer"} == truth(salla)["customers"]


def test_what_does_not_fit_waits(shop: Settings, salla: FakeSalla, clock: FakeClock) -> None:
    grown(salla, days=10, a_day=5)
    salla.habits = Habits(limit=60)
    waiting = []
    for _ in range(60):
        found = pulled(shop, clock, seconds=60.0)
        waiting.append(found.waiting)
        clock.sleep(600)
        if found.is_complete:
            break
    assert found.is_complete
    assert max(waiting) > 10
    assert len(waiting) > 3
    assert_equal(shop, salla)


def test_a_long_retry_after_ends_the_run_and_is_remembered(shop: Settings, salla: FakeSalla, clock: FakeClock) -> None:
    grown(salla, days=3)
    salla.closed_until = clock.at.timestamp() + 1800
    assert "come back at" in pulled(shop, clock).problems[0]
    count = len(salla.requests)
    found = pulled(shop, clock)
    assert len(found.problems) == 1
    assert "come back at" in found.problems[0]
    assert len(salla.requests) == count == 1
    clock.sleep(1801)
    pull_until_still(shop, clock)
    assert_equal(shop, salla, is_whole=False)


@pytest.mark.parametrize(("ignored", "call"), [("from_date", "GET /orders:"), ("order_id", "GET /orders/items:")])
def test_an_ignored_filter_is_noticed(
    shop: Settings, salla: FakeSalla, clock: FakeClock, ignored: str, call: str
) -> None:
    grown(salla, days=10)
    salla.habits = Habits(ignored={ignored, "to_date"} if ignored == "from_date" else {ignored})
    found = pulled(shop, clock)
    said = [line for line in found.problems if line.startswith(call)]
    assert len(said) == 1
    assert "ignores the filter" in said[0]
    assert (
        len(asked(salla, "/orders/items")) <= 2
        if ignored == "order_id"
        else len(asked(salla, "/orders?from_date")) == 1
    )
    salla.habits = Habits()
    if ignored == "from_date":
        pull_until_still(shop, clock)
        assert_equal(shop, salla, is_whole=False)


def test_a_missing_permission_is_one_line_and_the_rest_goes_on(
    shop: Settings, salla: FakeSalla, clock: FakeClock
) -> None:
    grown(salla, days=4)
    salla.habits = Habits(missing_scopes={"carts", "transactions", "settings"})
    found = pulled(shop, clock)
    assert len(found.problems) == 3
    assert all("lacks a permission" in line for line in found.problems)
    assert seen_orders(shop) == truth(salla)["orders"]


def test_nothing_is_wiped_by_empty_lists(shop: Settings, salla: FakeSalla, clock: FakeClock) -> None:
    """However often the lists are empty: each order and cart answers for itself."""
    grown(salla, days=6)
    for _ in range(5):
        salla.add_cart()
    pull_until_still(shop, clock)
    salla.habits = Habits(empty_pages=1.0)
    for _ in range(8):
        pulled(shop, clock, "nightly")
        clock.sleep(3600)
    raw = landed(shop, "orders", "carts")
    assert len(raw["orders"]) > 10
    assert not [row for name in ("orders", "carts") for row in raw[name] if row["event"]]
    salla.habits = Habits()
    pull_until_still(shop, clock)
    assert_equal(shop, salla, is_whole=False)


def test_a_wave_of_disappearances_is_doubted(shop: Settings, salla: FakeSalla, clock: FakeClock) -> None:
    grown(salla, days=1)
    for _ in range(30):
        salla.add_cart()
    pull_until_still(shop, clock)
    kept, salla.carts = salla.carts, {}
    for _ in range(3):
        assert len(pulled(shop, clock).problems) == 1
        clock.sleep(3600)
    assert len(seen_carts(shop)) >= 30
    salla.carts = kept
    assert pulled(shop, clock).problems == []
    salla.carts = {}
    for _ in range(5):
        pulled(shop, clock)
        clock.sleep(3600)
    assert seen_carts(shop) == set()


def test_gone_orders_and_carts_need_two_listings(shop: Settings, salla: FakeSalla, clock: FakeClock) -> None:
    grown(salla, days=12, moments=0)
    carts = [salla.add_cart() for _ in range(4)]
    pull_until_still(shop, clock, "nightly")
    order_id = next(o["id"] for o in salla.orders.values() if NOW - timedelta(days=6) > o["made"])
    salla.delete(order_id)
    del salla.carts[carts[0]]
    salla.bought_carts[carts[1]] = salla.carts.pop(carts[1])
    pulled(shop, clock, "nightly")
    assert str(order_id) in seen_orders(shop)
    assert str(carts[0]) in seen_carts(shop)
    clock.sleep(3600)
    pulled(shop, clock, "nightly")
    assert_equal(shop, salla, is_whole=False)
    raw = landed(shop, "orders", "carts")
    assert [row["order_id"] for row in raw["orders"] if row["event"] == "order.tombstone"] == [str(order_id)]
    assert [row["cart_id"] for row in raw["carts"] if row["event"] == "cart.tombstone"] == [str(carts[0])]
    assert [row["cart_id"] for row in raw["carts"] if row["status"] == "purchased"] == [str(carts[1])]
    # it comes back: then it is there again
    order = {**next(iter(salla.orders.values())), "id": order_id, "made": clock.at, "updated": clock.at}
    salla.orders[order_id] = order
    pulled(shop, clock)
    assert str(order_id) in seen_orders(shop)


def test_webhooks_are_hints(shop: Settings, salla: FakeSalla, clock: FakeClock) -> None:
    """What a webhook names is fetched, though the list does not show it yet; read once, and only what is no pull's."""
    grown(salla, days=5, moments=0)
    salla.habits = Habits(cache_seconds=900)
    pull_until_still(shop, clock)
    pulled(shop, clock)
    order_id = salla.add_order()
    salla.change_status(salla.orders[order_id], "in_progress")
    other = next(iter(salla.orders))
    salla.change_status(salla.orders[other], "shipped")
    deleted = list(salla.orders)[3]
    salla.delete(deleted)
    webhook(shop, clock, "order.created", {"id": order_id}, "a")
    webhook(shop, clock, "order.status.updated", {"id": 5, "status": "x", "order": {"id": other}}, "b")
    webhook(shop, clock, "order.deleted", {"id": deleted}, "c")
    salla.requests.clear()
    pulled(shop, clock)
    state_now = seen_orders(shop)
    assert state_now[str(order_id)][0] == "in_progress"
    assert state_now[str(other)][0] == "shipped"
    assert str(deleted) not in state_now
    assert len(asked(salla, f"/orders/{order_id}")) == 1
    assert asked(salla, "/orders/items") == [f"/admin/v2/orders/items?order_id={order_id}&page=1&per_page=60"]
    salla.requests.clear()
    pulled(shop, clock)
    assert asked(salla, f"/orders/{order_id}?") == []


def test_a_second_store_is_refused(shop: Settings, salla: FakeSalla, clock: FakeClock) -> None:
    path = shop.data / "secrets" / "salla-default.json"
    path.write_text(path.read_text().replace(str(MERCHANT), "999"))
    with pytest.raises(SalwaError, match="not 999"):
        pulled(shop, clock)
    assert landed_files(shop.landing, "salla") == []


def test_a_connection_that_ended_is_one_line(shop: Settings, salla: FakeSalla, clock: FakeClock) -> None:
    grown(salla, days=2)
    pulled(shop, clock)
    salla.alive.clear()
    with pytest.raises(Disconnected, match="reinstall"):
        pulled(shop, clock)
    count = len(salla.requests)
    with pytest.raises(Disconnected, match="reinstall"):
        pulled(shop, clock)
    assert len(salla.requests) == count
    assert any("reinstall" in found.advice for found in check_salla(shop, "default", clock()))


def test_tokens_that_end_meanwhile_are_renewed(shop: Settings, salla: FakeSalla, clock: FakeClock) -> None:
    grown(salla, days=4)
    salla.on_request = lambda number: salla.access.clear() if number == 20 else None
    assert pull_until_still(shop, clock) == []
    assert salla.refreshes == 1
    assert_equal(shop, salla, is_whole=False)


def test_check_says_what_is_missing(shop: Settings, salla: FakeSalla, clock: FakeClock, tmp_path: Path) -> None:
    grown(salla, days=2)
    assert [found for found in check_salla(shop, "default", clock()) if not found.is_good] == []
    salla.habits = Habits(missing_scopes={"carts"})
    assert [found.what for found in check_salla(shop, "default", clock()) if not found.is_good] == [
        "abandoned carts: cannot be read"
    ]
    nothing = Settings(data=tmp_path / "other")
    assert [found.is_good for found in check_salla(nothing, "default", clock())] == [False, False]


class Killed(BaseException):
    """As sudden as a kill: no handler of the pull knows it."""


# --- kills ---------------------------------------------------------------------------------------------------------------


def die_at(point: int, monkeypatch_to: list[tuple[Any, str]], die: Callable[[], None]) -> Callable[[], None]:
    """Wrap the named functions so that the point-th call, counted over all, dies before or after its work."""
    count = 0
    originals = [(where, name, getattr(where, name)) for where, name in monkeypatch_to]

    def wrapped(original: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            nonlocal count
            count += 1
            if count == point and point % 2:
                die()
            result = original(*args, **kwargs)
            if count == point:
                die()
            return result

        return run

    for where, name, original in originals:
        setattr(where, name, wrapped(original))

    def undo() -> None:
        for where, name, original in originals:
            setattr(where, name, original)

    return undo


POINTS: list[tuple[Any, str]] = [
    (asking, "get"),
    (asking, "write_state"),
    (asking, "write_line"),
    (LandingWriter, "publish"),
    (LandingWriter, "finish"),
    (orders, "note_order"),
    (orders, "land_tombstone"),
    (hints, "note_hint"),
]


def test_thirty_kills_change_nothing(
    shop: Settings, salla: FakeSalla, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A child is killed (SIGKILL) at random points of its work; the next goes on; the end equals the store."""
    monkeypatch.setattr(asking, "BATCH_LINES", 7)
    grown(salla, days=15, a_day=4)
    dice = random.Random(7)
    fork = multiprocessing.get_context("fork")

    def work(point: int) -> None:
        die_at(point, POINTS, lambda: os.kill(os.getpid(), signal.SIGKILL))
        pulled(shop, clock, "nightly")
        os._exit(0)

    killed = 0
    for _ in range(60):
        child = fork.Process(target=work, args=(dice.randint(1, 160),))
        child.start()
        child.join(30)
        killed += child.exitcode == -signal.SIGKILL
        assert child.exitcode in (0, -signal.SIGKILL)
        clock.sleep(1800)
        salla.live(1)
        if killed == 30:
            break
    assert killed == 30
    salla.add_cart()  # a list without a single cart is doubted for long
    for _ in range(3):
        pull_until_still(shop, clock, "nightly")
    assert_equal(shop, salla, histories=False)
    assert not list(shop.landing.rglob("*.partial"))
    assert_no_tokens(shop)


def test_errors_thrown_anywhere_change_nothing(
    shop: Settings, salla: FakeSalla, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "BATCH_LINES", 5)
    grown(salla, days=8, a_day=3)
    dice = random.Random(11)

    def die() -> None:
        raise Killed

    died = 0
    for _ in range(12):
        undo = die_at(dice.randint(1, 120), POINTS, die)
        try:
            pulled(shop, clock)
        except Killed:
            died += 1
        finally:
            undo()
        clock.sleep(1800)
        salla.live(1)
    assert died > 6
    salla.add_cart()  # a list without a single cart is doubted for long
    for _ in range(3):
        pull_until_still(shop, clock, "nightly")
    assert_equal(shop, salla, histories=False)


def test_two_pulls_at_once_refresh_once_and_agree(shop: Settings, salla: FakeSalla, clock: FakeClock) -> None:
    grown(salla, days=4)
    clock.sleep(14 * 86_400 - 1800)  # the access token is about to end
    fork = multiprocessing.get_context("fork")
    children = [fork.Process(target=lambda: (pulled(shop, clock), os._exit(0))) for _ in range(3)]
    for child in children:
        child.start()
    for child in children:
        child.join(30)
    assert [child.exitcode for child in children] == [0, 0, 0]
    assert salla.refreshes == 1
    pull_until_still(shop, clock)
    assert salla.refreshes == 1
    assert_equal(shop, salla, is_whole=False)


# --- small parts -----------------------------------------------------------------------------------------------------


def test_the_budget_follows_the_headers() -> None:
    told, at = Budget(), NOW.timestamp()
    for n in range(48):
        told.spend(at + n / 100, False)
    assert told.wait(at + 1, False) == pytest.approx(59.0)  # 80 % of 60, until told otherwise
    headers = {"X-RateLimit-Limit": "360", "X-RateLimit-Remaining": "300", "X-RateLimit-Reset": str(at + 30)}
    told.note(headers, at + 1)
    assert told.wait(at + 1, False) == 0
    told.note({"X-RateLimit-Remaining": "36"}, at + 1)
    assert told.wait(at + 1, False) == pytest.approx(29)
    told.note({"X-RateLimit-Remaining": "much", "X-RateLimit-Limit": "0"}, at + 1)
    assert (told.limit, told.remaining) == (360, 36)
    assert told.wait(at + 31, False) == 0


def test_what_webhooks_name(tmp_path: Path) -> None:
    bodies: list[Any] = [
        {"event": "order.created", "data": {"id": 7}},
        {"event": "order.status.updated", "data": {"id": 1, "order": {"id": "8"}}},
        {"event": "order.updated", "data": {"id": None}},
        {"event": "order.updated", "data": []},
        {"event": ["order."], "data": {"id": 9}},
        ["order."],
        {"event": "product.updated", "data": {"id": 10, "note": "order."}},
    ]
    with LandingWriter(tmp_path, "default", "salla", "receive-1", day="2026-11-20") as writer:
        for body in bodies:
            writer.append(Delivery(json.dumps(body).encode()))
        writer.append(Delivery(b'{"event":"order.created","data":{"id"'))
        writer.append(Delivery(b"order.\xff"))
        writer.append(Delivery(json.dumps(bodies[0]).encode(), "GET /orders/7"))
    found = list(hints.named_orders(landed_files(tmp_path, "salla")[0]))
    assert found == [("7", "order.created"), ("8", "order.status.updated")]


def test_rows_hash_alike_whatever_is_only_of_the_moment() -> None:
    row = {"id": 1, "total": {"amount": 5}, "status": {"id": 2, "slug": "x"}, "items": [{"name": "a", "quantity": 1}]}
    same = {
        **row,
        "pending_payment_ends_at": 5,
        "read": True,
        "items": [{"name": "a", "quantity": 1, "thumbnail": "t"}],
    }
    state_hash, goods_hash = orders.row_hashes(row)
    assert orders.row_hashes(same) == (state_hash, goods_hash)
    assert orders.row_hashes({**row, "status": {"id": 3, "slug": "x"}})[0] != state_hash
    assert orders.row_hashes({**row, "status": {"id": 3, "slug": "x"}})[1] == goods_hash
    assert orders.row_hashes({**row, "total": {"amount": 6}})[1] != goods_hash
    for odd in ({}, {"status": None, "items": {}}, {"status": "paid", "items": ["x"], "total": None}):
        assert len(orders.row_hashes(odd)) == 2


def test_the_state_file_is_private(shop: Settings, salla: FakeSalla, clock: FakeClock) -> None:
    grown(salla, days=1)
    pulled(shop, clock)
    path = state.state_file(shop.data, "default", "salla")
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_pull_brings_nobody_back_who_was_erased(shop: Settings, salla: FakeSalla, clock: FakeClock) -> None:
    grown(salla, days=3, moments=5)
    chosen = next(one for one in salla.customers.values() if any(order["customer"] == one["id"] for order in salla.orders.values()))
    people = people_of(shop, "default", begin=True)
    assert people is not None
    people.add([Id("customer", str(chosen["id"]))])
    pull_until_still(shop, clock)
    told = "".join(line.decode() for path in landed_files(shop.landing, "salla") for line in read_lines(path))
    assert str(chosen["mobile"]) not in told and f':{chosen["id"]},' not in told
    assert seen_orders(shop).keys() == {str(one) for one in salla.orders}, "the orders stay"
