"""Orders: the backfill by creation day, the walk from the last changed on, the nightly re-listing, and what each needs.

A list row tells the status and the total, but neither the time of the change nor the lines. So the orders that are new
or changed wait in a remembered queue for their details (D), their lines (I), and, last, their history.
Orders are remembered by the day they were made: {day: {id: "<hash of the state>.<hash of what was bought>"}}.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from ingestion.salla.asking import (
    FilterIgnored,
    NotThere,
    Page,
    Pull,
    ask,
    check_days,
    checkpoint,
    day_of,
    digest,
    id_of,
    land,
    land_tombstone,
    one_page,
    pages,
    step,
)
from ingestion.salla.sorting import (
    BY_ID,
    NEWEST_CHANGED,
    check_ids,
    is_ignored,
    note_changed_at,
    note_ignored,
    note_sorted,
    suspect,
    unsorted_line,
)
from ingestion.salla.walking import tells_new_total, walk

PER_PAGE = 30
FIRST_DAY = date(2016, 1, 1)  # Salla opened that year
RELISTED_DAYS = 60
WIDER_DAYS = 30
RETELLINGS = 3
HINT_COVERS = 86_400  # seconds: a status that changed so soon after a webhook named the order is told by it
GONE = 2  # listings, or answers, that must agree in a row
FEW = 10
DOUBTED_LISTINGS = 4


def today(pull: Pull) -> date:
    return pull.clock().astimezone(pull.zone).date()


def index_days(pull: Pull) -> None:
    """Which day each known order was made."""
    pull.order_days = {order_id: day for day, orders in pull.state["orders"].items() for order_id in orders}


def note_order(pull: Pull, row: dict[str, Any]) -> bool:
    """Remember a list row; a new or changed order is queued. True where it was one."""
    order_id = str(id_of(row))
    day = pull.order_days.get(order_id) or day_of(row.get("date")) or today(pull).isoformat()
    state, goods = row_hashes(row)
    before = pull.state["orders"].setdefault(day, {}).get(order_id)
    pull.state["orders"][day][order_id] = f"{state}.{goods}"
    pull.order_days[order_id] = day
    pull.state["missing_orders"].pop(order_id, None)
    if before == f"{state}.{goods}":
        return False
    queue = pull.state["queue"]
    is_old_lines = before is not None and before.endswith(f".{goods}")
    queue[order_id] = "".join(sorted(set(queue.get(order_id, "")) | {"D"} | (set() if is_old_lines else {"I"})))
    if pull.clock().timestamp() - pull.state["hinted"].get(order_id, 0) > HINT_COVERS:
        status = row.get("status")
        slug = status.get("slug") if isinstance(status, dict) else status
        pull.state["histories"][order_id] = slug if slug in ("restored", "restoring") else ""
    return True


def row_hashes(row: dict[str, Any]) -> tuple[str, str]:
    """(of its state, of what was bought), over what changes only when the order does."""
    status = row.get("status")
    status = status if isinstance(status, dict) else {"slug": status}
    custom = status.get("customized")
    state = [
        status.get("id"),
        status.get("slug"),
        custom.get("id") if isinstance(custom, dict) else None,
        *(row.get(key) for key in ("payment_method", "is_pending_payment", "draft")),
    ]
    items = row.get("items")
    named = (
        [[item.get("name"), item.get("quantity")] for item in items if isinstance(item, dict)]
        if isinstance(items, list)
        else None
    )
    return digest(state), digest([row.get("total"), named])


def newest_orders(pull: Pull) -> None:
    """The walk from the last changed order on. What the backfill has not reached yet is left to it."""
    plan = pull.state["backfill"]
    reached = FIRST_DAY.isoformat() if plan.get("is_done") else plan.get("day", today(pull).isoformat())

    listed: list[str] = []
    page_number = 0

    def note(row: dict[str, Any], page: Page) -> bool | None:
        nonlocal page_number
        if page.number < page_number:  # from the beginning again
            listed.clear()
        page_number = page.number
        listed.append(str(id_of(row)))
        if (
            str(id_of(row)) not in pull.order_days
            and (day_of(row.get("date")) or reached) <= reached
            and not plan.get("is_done")
        ):
            return None
        return note_order(pull, row)

    if not plan.get("day"):
        return
    if is_ignored(pull, NEWEST_CHANGED):
        pull.problem(unsorted_line(NEWEST_CHANGED))
        list_recent(pull)
        return
    walk(pull, "orders", "/orders", {"sort_by": NEWEST_CHANGED}, PER_PAGE, note)
    if is_out_of_order(pull, listed):
        note_ignored(pull, NEWEST_CHANGED)
        list_recent(pull)
    else:
        note_sorted(pull, NEWEST_CHANGED)


def is_out_of_order(pull: Pull, listed: list[str]) -> bool:
    """Whether an order stands above one that was changed after it, by its own details."""
    found = suspect(pull, listed)
    if found is None:
        return False
    order_id, changed_below = found
    if fetch(pull, order_id, pull.state["queue"].get(order_id, "D")):
        pull.state["queue"].pop(order_id, None)
    told = pull.state["changed"].get(order_id)
    return order_id in pull.order_days and told is not None and datetime.fromisoformat(told) < changed_below


def list_recent(pull: Pull) -> None:
    """What the walk would have found, where it cannot be relied on: all orders of the last RELISTED_DAYS."""
    page = one_page(pull, "/orders", {"sort_by": NEWEST_CHANGED}, PER_PAGE, 1, bool(pull.order_days))
    if tells_new_total(pull, "/orders", page):
        land(pull, page.answer)
    last, floor = today(pull), today(pull) - timedelta(days=RELISTED_DAYS)
    while last >= floor:
        first = max(last - timedelta(days=WIDER_DAYS - 1), floor)
        list_window(pull, first, last, {"page": 1, "seen": []})
        last = first - timedelta(days=1)


def backfill(pull: Pull) -> None:
    """All orders by the day they were made, the newest day first, going on where the last run stopped."""
    plan = pull.state["backfill"]
    if plan.get("is_done"):
        return
    if "day" not in plan:
        first = one_page(pull, "/orders", {"sort_by": "created_at-asc"}, PER_PAGE, 1, False)
        made = [day for row in first.rows if (day := day_of(row.get("date")))]
        if not made:
            return  # an empty answer concludes nothing: the next run asks again
        plan.update(day=(today(pull) + timedelta(days=1)).isoformat(), floor=min(made), width=1, page=1, seen=[])
    while True:
        while plan["day"] >= plan["floor"]:
            day = date.fromisoformat(plan["day"])
            first_day = day - timedelta(days=plan["width"] - 1)
            list_window(pull, first_day, day, plan)
            plan.update(day=(first_day - timedelta(days=1)).isoformat(), page=1, seen=[])
            step(pull)
        page = one_page(pull, "/orders", {"sort_by": "created_at-asc"}, PER_PAGE, 1, True)
        if tells_new_total(pull, "/orders", page):
            land(pull, page.answer)
        total = page.total
        if total is None or len(pull.order_days) >= total or plan["floor"] <= FIRST_DAY.isoformat():
            break
        if plan["width"] < WIDER_DAYS:  # a day came empty though it was not: all once more, in wider windows
            plan.update(day=(today(pull) + timedelta(days=1)).isoformat(), width=WIDER_DAYS)
        else:  # the first row was not the oldest: further back
            floor = date.fromisoformat(plan["floor"]) - timedelta(days=WIDER_DAYS)
            plan.update(floor=max(floor, FIRST_DAY).isoformat())
    pull.state["backfill"] = {"is_done": True, "day": FIRST_DAY.isoformat()}
    pull.state["swept_at"] = pull.clock().astimezone(UTC).isoformat(timespec="seconds")
    checkpoint(pull)


def list_window(pull: Pull, first_day: date, last_day: date, place: dict[str, Any]) -> bool:
    """List the orders made from the first to the last day. Whether `to_date` is part of the window is not documented,
    so it is a day later. Listed again where pages moved meanwhile and rows are missing.

    Returns:
        Whether as many rows came as Salla counts.

    Raises:
        FilterIgnored: rows of quite other days came.
    """
    params = {
        "from_date": first_day.isoformat(),
        "to_date": (last_day + timedelta(days=1)).isoformat(),
        "sort_by": BY_ID,
    }
    # a date may be told in another zone than the filter reads it
    earliest, latest = (first_day - timedelta(days=1)).isoformat(), (last_day + timedelta(days=2)).isoformat()
    seen = set(place["seen"])
    total: int | None = None
    known_days = [(first_day + timedelta(days=n)).isoformat() for n in range((last_day - first_day).days + 1)]
    has_rows = any(pull.state["orders"].get(day) for day in known_days)
    for telling in range(RETELLINGS):
        first_page = max(1, place["page"] - 1) if telling == 0 else 1
        for page in pages(pull, "/orders", params, PER_PAGE, first_page, has_rows):
            days = {day for row in page.rows if (day := day_of(row.get("date")))}
            check_days("/orders", params, days, earliest, latest)
            check_ids(pull, page)
            rows = [row for row in page.rows if id_of(row)]
            changed = [row for row in rows if note_order(pull, row)]
            pull.objects += len(changed)
            if changed:
                land(pull, page.answer)
            seen.update(str(id_of(row)) for row in rows)
            total = page.total
            place.update(page=page.number, seen=sorted(seen))
            step(pull)
        if total is None or len(seen) >= total:
            return total is not None
    return False


def relist(pull: Pull) -> None:
    """List the last RELISTED_DAYS again: changes that the walk missed, and orders that are gone."""
    if not pull.state["backfill"].get("is_done"):
        return
    last = today(pull)
    first = last - timedelta(days=RELISTED_DAYS)
    # days at the edge may belong to the window by one clock and not by another
    inside = ((first + timedelta(days=2)).isoformat(), last.isoformat())
    known = {
        order_id for day, orders in pull.state["orders"].items() if inside[0] <= day <= inside[1] for order_id in orders
    }
    seen: set[str] = set()
    is_whole = True
    for offset in range(RELISTED_DAYS + 2):
        place: dict[str, Any] = {"page": 1, "seen": []}
        day = first + timedelta(days=offset)
        is_whole &= list_window(pull, day, day, place)
        seen.update(place["seen"])
    if is_whole:
        note_missing(pull, seen, known, "order", pull.state["missing_orders"])
    for order_id in [o for o, count in pull.state["missing_orders"].items() if count >= GONE]:
        pull.state["missing_orders"][order_id] = GONE - 1  # its own answer has the last word
        want_details(pull, order_id)
    checkpoint(pull)


def want_details(pull: Pull, order_id: str) -> None:
    queue = pull.state["queue"]
    queue[order_id] = "".join(sorted(set(queue.get(order_id, "")) | {"D"}))


def note_missing(pull: Pull, seen: set[str], known: set[str], entity: str, counts: dict[str, int]) -> None:
    """Count the listings in a row that miss a known object.

    A listing that shows nothing, or misses most of what we know, counts only when DOUBTED_LISTINGS in a row were such;
    and even then each object's own answer has the last word.
    """
    missing = known - seen
    for object_id in seen:
        counts.pop(object_id, None)
    if is_doubted(pull, entity, len(missing), len(known), bool(seen)):
        return
    for object_id in missing:
        counts[object_id] = counts.get(object_id, 0) + 1


def is_doubted(pull: Pull, entity: str, missing: int, known: int, has_shown: bool) -> bool:
    """Whether a listing is not believed yet: it shows nothing, or misses most of what we know."""
    doubts = pull.state["doubts"]
    if not missing or (has_shown and missing <= max(FEW, known // 2)):
        doubts.pop(entity, None)
        return False
    doubts[entity] = doubts.get(entity, 0) + 1
    if doubts[entity] >= DOUBTED_LISTINGS:
        return False
    if missing > FEW:
        pull.problem(f"Salla's list misses {missing} of {known} known {entity}s; nothing is closed for it yet")
    return True


def work_queue(pull: Pull, is_wanted: Callable[[str, str], bool] = lambda order_id, needs: True) -> None:
    """Fetch what queued orders need: those that webhooks named first, then the newest."""
    queue = pull.state["queue"]
    ordered = sorted(queue, key=lambda o: ("!" in queue[o], pull.order_days.get(o, "9999"), o), reverse=True)
    for order_id in [o for o in ordered if is_wanted(o, queue[o])]:
        if fetch(pull, order_id, queue[order_id]):
            queue.pop(order_id, None)
        step(pull)


def fetch(pull: Pull, order_id: str, needs: str) -> bool:
    """Details and lines of an order. Whether it needs nothing more."""
    if needs == "I" and not pull.asks_lines:
        return False
    details = ask(pull, f"/orders/{order_id}", {"format": "light"})
    if details.body is None:
        return note_gone(pull, order_id, details.at)
    lines: list[Page] = []
    if "I" in needs and pull.asks_lines:
        try:
            lines = order_lines(pull, order_id)
        except FilterIgnored as ignored:
            pull.problem(str(ignored))
            pull.asks_lines = False
    land(pull, details)
    note_changed_at(pull, order_id, details.body)
    for page in lines:
        land(pull, page.answer)
    pull.objects += 1
    pull.state["missing_orders"].pop(order_id, None)
    if "I" in needs and not pull.asks_lines:
        pull.state["queue"][order_id] = "I"
        return False
    return True


def order_lines(pull: Pull, order_id: str) -> list[Page]:
    """The pages of an order's lines. They do not name the order: that they are its own is seen from lines told before.

    Raises:
        FilterIgnored: the lines are those of another order.
    """
    found = list(pages(pull, "/orders/items", {"order_id": order_id}, has_rows=True))
    ids = {line_id for page in found for row in page.rows if (line_id := id_of(row))}
    other, others = pull.state.get("last_lines") or [order_id, []]
    if other != order_id and ids & set(others):
        raise FilterIgnored(
            f"GET /orders/items: asked for the lines of order {order_id}, Salla answers with those of {other}: it ignores "
            "the filter; the call was stopped"
        )
    if ids:
        pull.state["last_lines"] = [order_id, sorted(ids)[:PER_PAGE]]
    return found


def note_gone(pull: Pull, order_id: str, at: datetime) -> bool:
    """The order's own answer was 404. The second in a row makes a tombstone. Whether it needs nothing more."""
    counts = pull.state["missing_orders"]
    counts[order_id] = counts.get(order_id, 0) + 1
    if counts[order_id] < GONE:
        return False
    land_tombstone(pull, "order", order_id, at)
    for name in ("missing_orders", "histories", "hinted"):
        pull.state[name].pop(order_id, None)
    day = pull.order_days.pop(order_id, None)
    if day:
        pull.state["orders"][day].pop(order_id, None)
    return True


def work_histories(pull: Pull) -> None:
    """Histories of orders whose status no webhook told, the returned ones first: they say when."""
    waiting = pull.state["histories"]
    for order_id in sorted(waiting, key=lambda o: (bool(waiting[o]), pull.order_days.get(o, ""), o), reverse=True):
        try:
            found = list(pages(pull, f"/orders/{order_id}/histories", has_rows=True))
        except NotThere:
            found = []
        for page in found:
            land(pull, page.answer)
        waiting.pop(order_id, None)
        step(pull)
