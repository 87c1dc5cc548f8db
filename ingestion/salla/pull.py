"""Pulling a Salla store: what is new or changed since the last pull, and the history where it is not there yet.

Every part fails alone. What does not fit into the run's share of requests waits, remembered, for the next one. A page
that says nothing new is not landed again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from ingestion import pulling
from ingestion.errors import SalwaError
from ingestion.http import SourceRefused, SourceUnavailable
from ingestion.pulling import told_to_stay_away
from ingestion.salla.asking import (
    FilterIgnored,
    MissingPermission,
    OutOfTime,
    Page,
    Pull,
    ask,
    check_days,
    checkpoint,
    clear_left_over,
    day_of,
    digest,
    id_of,
    land,
    land_tombstone,
    pages,
    remembered_calls,
    step,
)
from ingestion.salla.hints import read_hints
from ingestion.salla.orders import (
    GONE,
    RETELLINGS,
    backfill,
    index_days,
    newest_orders,
    note_missing,
    relist,
    today,
    work_histories,
    work_queue,
)
from ingestion.salla.sweep import sweep
from ingestion.salla.tokens import Disconnected, connection
from ingestion.salla.walking import note_hash, row_hash, tells_new_total, walk
from ingestion.settings import Settings
from ingestion.state import locked, read_state, state_file, write_state

Depth = Literal["refresh", "nightly"]
SECONDS: dict[str, float] = {"refresh": 15 * 60, "nightly": 4 * 3600}  # how long a run may go on asking
PATIENCE: dict[str, float] = {"refresh": 75, "nightly": 660}  # the longest single wait
CARTS_PER_PAGE = 50  # more is refused
PER_PAGE = 60
FRESH_DAYS = 7  # queued orders this young come before the history
PAYMENT_DAYS: dict[str, int] = {"refresh": 3, "nightly": 60}  # a payment changes in place when it is refunded
INVOICE_DAYS: dict[str, int] = {"refresh": 3, "nightly": 30}
INVOICE_WINDOW = 30
FAILURES_IN_A_ROW = 2


@dataclass
class Pulled(pulling.Pulled):
    """What a pull of Salla brought besides: how many questions it took, and how many orders still wait for details, lines
    or history."""

    requests: int = 0
    waiting: int = 0
    is_complete: bool = False  # the history is there and nothing waits


def pull_salla(
    settings: Settings,
    workspace: str,
    depth: Depth,
    now: datetime,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], datetime] | None = None,
    seconds: float | None = None,
) -> Pulled:
    """Pull a store into the landing zone. A second pull of the same store waits for the first.

    Args:
        depth: "refresh": the changes; "nightly": also the last 60 days once more, whole listings, and each week a year.
        sleep: how to wait, in seconds.
        clock: tells the time; by default it goes on from `now`.
        seconds: how long the run may go on asking (default: SECONDS).

    Raises:
        Disconnected: Salla ended the connection; what came before it is landed.
        SalwaError: there are no tokens, or they open another store.
    """
    path = state_file(settings.data, workspace, "salla")
    with locked(path):
        pull = begun(settings, workspace, depth, now, sleep, clock or running_clock(now), seconds)
        if line := told_to_stay_away(pull.state, "Salla", pull.clock()):
            return Pulled(problems=[line])
        is_complete = False
        try:
            is_complete = run(pull, depth)
        except SalwaError:
            checkpoint(pull)
            raise
        except BaseException:
            if pull.writer is not None:
                pull.writer.discard()
            raise
        finally:
            pull.session.close()
        waiting = len(set(pull.state["queue"]) | set(pull.state["histories"]))
        is_complete = is_complete and not waiting and bool(pull.state["backfill"].get("is_done"))
        return Pulled(pull.pages, pull.objects, pull.problems, pull.requests, waiting, is_complete)


def running_clock(now: datetime) -> Callable[[], datetime]:
    began = time.monotonic()
    return lambda: now + timedelta(seconds=time.monotonic() - began)


def begun(
    settings: Settings,
    workspace: str,
    depth: Depth,
    now: datetime,
    sleep: Callable[[float], None],
    clock: Callable[[], datetime],
    seconds: float | None,
) -> Pull:
    zones = {found.name: found.zone for found in settings.workspaces()}
    if workspace not in zones:
        raise SalwaError(f"there is no workspace {workspace}; known are {', '.join(sorted(zones))}")
    known = connection(settings, workspace)
    path = state_file(settings.data, workspace, "salla")
    state: dict[str, Any] = {
        "orders": {}, "queue": {}, "histories": {}, "hinted": {}, "missing_orders": {}, "backfill": {},
        "carts": {}, "missing_carts": {}, "doubts": {}, "successes": {}, **read_state(path),
    }  # fmt: skip
    pull = Pull(
        settings=settings,
        workspace=workspace,
        zone=zones[workspace],
        now=now,
        clock=clock,
        sleep=sleep,
        deadline=clock().timestamp() + (SECONDS[depth] if seconds is None else seconds),
        patience=PATIENCE[depth],
        state_path=path,
        state=state,
        merchant=known.merchant if known else None,
    )
    pull.budget.customer_calls = remembered_calls(state, clock().timestamp())
    clear_left_over(pull.landed_folder)
    index_days(pull)
    return pull


def parts(depth: Depth) -> list[tuple[str, Callable[[Pull], None]]]:
    """What a pull does, the most urgent first."""
    nightly = depth == "nightly"
    return [
        ("store", store),
        ("hints", read_hints),
        ("newest orders", newest_orders),
        ("fresh orders", fresh_orders),
        ("carts", carts),
        ("order statuses", lambda pull: single(pull, "/orders/statuses")),
        ("report statuses", lambda pull: single(pull, "/settings/fields/reports.order_statuses")),
        ("order history", backfill),
        ("invoices", lambda pull: invoices(pull, depth)),
        ("transactions", lambda pull: transactions(pull, depth)),
        ("products", lambda pull: listing(pull, "products", nightly)),
        ("customers", lambda pull: listing(pull, "customers", nightly)),
        *([("orders again", relist), ("orders of a year", sweep)] if nightly else []),
        ("waiting orders", work_queue),
        ("histories", work_histories),
    ]


def run(pull: Pull, depth: Depth) -> bool:
    """Do every part; one that fails is said and left. Whether all of them came to their end."""
    failures, is_whole = 0, True
    for name, part in parts(depth):
        try:
            part(pull)
        except OutOfTime:
            is_whole = False
            checkpoint(pull)
            if pull.clock().timestamp() >= pull.deadline:
                break
            continue
        except Disconnected:
            raise
        except (SourceRefused, SourceUnavailable, FilterIgnored) as error:
            is_whole = False
            pull.problem(str(error))
            checkpoint(pull)
            failures += not isinstance(error, (MissingPermission, FilterIgnored))
            if failures == FAILURES_IN_A_ROW:  # it is not the part, it is Salla
                break
            continue
        failures = 0
        pull.state["successes"][name] = pull.clock().astimezone(UTC).isoformat(timespec="seconds")
        checkpoint(pull)
    return is_whole


def store(pull: Pull) -> None:
    """The store's own page: that the tokens open the right store, its plan and currency."""
    answer = ask(pull, "/store/info")
    data = (answer.body or {}).get("data")
    found = id_of(data) if isinstance(data, dict) else None
    if found and pull.merchant and found != pull.merchant:
        raise SalwaError(
            f"the tokens of workspace {pull.workspace} open Salla store {found}, not {pull.merchant}; nothing was pulled. "
            "Install the app in the right store"
        )
    pull.merchant = pull.merchant or found
    land_if_new(pull, "/store/info", answer)


def single(pull: Pull, path: str) -> None:
    """A call whose answer is one page."""
    land_if_new(pull, path, ask(pull, path))


def land_if_new(pull: Pull, path: str, answer: Any) -> None:
    fresh = digest((answer.body or {}).get("data"))
    bodies = pull.state.setdefault("bodies", {})
    if answer.body is not None and bodies.get(path) != fresh:
        land(pull, answer)
        pull.objects += 1
        bodies[path] = fresh


def fresh_orders(pull: Pull) -> None:
    """Details of what webhooks named and of young orders, before anything old is asked for."""
    cut = (today(pull) - timedelta(days=FRESH_DAYS)).isoformat()
    work_queue(pull, lambda order_id, needs: "!" in needs or pull.order_days.get(order_id, "") >= cut)


def carts(pull: Pull) -> None:
    """All abandoned carts. One that two listings in a row miss is asked for by itself: bought, or gone."""
    known = pull.state["carts"]
    before = set(known)
    seen: set[str] = set()
    total: int | None = None
    for _ in range(RETELLINGS):
        for page in pages(pull, "/carts/abandoned", None, CARTS_PER_PAGE):
            rows = {cart_id: row_hash(row) for row in page.rows if (cart_id := id_of(row))}
            changed = {cart_id for cart_id, fresh in rows.items() if known.get(cart_id) != fresh}
            is_news = tells_new_total(pull, "/carts/abandoned", page)
            if changed or is_news:
                land(pull, page.answer)
            pull.objects += len(changed)
            known.update(rows)
            seen.update(rows)
            total = page.total
            step(pull)
        if total is None or (len(seen) >= total and (seen or not before)):
            break
    if total is not None and len(seen) >= total:
        note_missing(pull, seen, before, "cart", pull.state["missing_carts"])
    for cart_id in [found for found, count in pull.state["missing_carts"].items() if count >= GONE]:
        answer = ask(pull, f"/carts/abandoned/{cart_id}")
        data = (answer.body or {}).get("data")
        pull.state["missing_carts"].pop(cart_id)
        if answer.body is None:
            land_tombstone(pull, "cart", cart_id, answer.at)
            known.pop(cart_id, None)
        else:
            land(pull, answer)
            if isinstance(data, dict) and data.get("status") == "purchased":
                known.pop(cart_id, None)
        step(pull)


def listing(pull: Pull, name: str, is_full: bool) -> None:
    """Customers or products: from the newest on until they are known, and as many as Salla counts; or all."""
    note = note_hash(pull, name)
    known = pull.state["known"][name]
    walk(pull, name, f"/{name}", None, PER_PAGE, note, lambda page: len(known) >= (page.total or 0), is_full)


def transactions(pull: Pull, depth: Depth) -> None:
    """Payments: there is no filter by date, and a refund changes an old one in place."""
    cut = (today(pull) - timedelta(days=PAYMENT_DAYS[depth])).isoformat()
    note = note_hash(pull, "transactions")
    known = pull.state["known"]["transactions"]

    def may_stop(page: Page) -> bool:
        made = [day_of(row.get("created_at")) or "" for row in page.rows]
        return len(known) >= (page.total or 0) and all(day < cut for day in made)

    walk(pull, "transactions", "/transactions", None, PER_PAGE, note, may_stop)


def invoices(pull: Pull, depth: Depth) -> None:
    """Invoices and credit notes by their date, a few days again each time."""
    if not pull.state["backfill"].get("is_done") or not pull.order_days:
        return
    last = today(pull)
    note = note_hash(pull, "invoices")
    until = pull.state.get("invoices_until")
    first = date.fromisoformat(until or min(pull.order_days.values())) - timedelta(days=INVOICE_DAYS[depth])
    while first <= last:
        end = min(first + timedelta(days=INVOICE_WINDOW), last)
        params = {"from_date": first.isoformat(), "to_date": (end + timedelta(days=1)).isoformat()}
        earliest, latest = (first - timedelta(days=1)).isoformat(), (end + timedelta(days=2)).isoformat()
        for page in pages(pull, "/orders/invoices", params, PER_PAGE, has_rows=True):
            days = {day for row in page.rows if (day := day_of(row.get("date")))}
            check_days("/orders/invoices", params, days, earliest, latest)
            fresh = [row for row in page.rows if id_of(row) and note(row, page)]
            pull.objects += len(fresh)
            if fresh:
                land(pull, page.answer)
            step(pull)
        pull.state["invoices_until"] = end.isoformat()
        first = end + timedelta(days=1)


def forget_state(settings: Settings, workspace: str) -> None:
    """Begin from nothing with the next pull; what landed stays."""
    path = state_file(settings.data, workspace, "salla")
    with locked(path):
        write_state(path, {})
