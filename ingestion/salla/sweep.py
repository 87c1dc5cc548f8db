"""The weekly sweep: the orders of a year, listed again, for what changed or vanished further back than each night looks.

It goes month by month, the newest first, and where a night ends before it does, on from there the next night.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from ingestion.salla import orders
from ingestion.salla.asking import Pull, checkpoint, step

SWEPT_DAYS = 365
EVERY = timedelta(days=7)
SLACK = timedelta(hours=12)  # a night may begin a little earlier than the one a week ago
AGAIN = timedelta(days=1)  # after a sweep that was not believed
WINDOW_DAYS = 30
EDGE = 2  # days at the edge may belong to the window by one clock and not by another


def sweep(pull: Pull) -> None:
    """List the orders older than those of each night again, if it is time.

    One that a whole listing misses is asked for by itself: two answers in two runs that it is not there make a tombstone.
    """
    if not pull.state["backfill"].get("is_done"):
        return
    today = orders.today(pull)
    if "sweep" not in pull.state:
        if not is_due(pull):
            return
        last = today - timedelta(days=orders.RELISTED_DAYS - EDGE)
        pull.state["sweep"] = {"day": last.isoformat(), "page": 1, "seen": [], "missing": [], "known": 0}
    plan: dict[str, Any] = pull.state["sweep"]
    floor = today - timedelta(days=SWEPT_DAYS)
    while (last := date.fromisoformat(plan["day"])) > floor:
        first = last - timedelta(days=WINDOW_DAYS - 1)
        if orders.list_window(pull, first, last, plan):
            judge_window(pull, first, last, plan)
        plan.update(day=(first + timedelta(days=EDGE)).isoformat() if first > floor else floor.isoformat(), page=1, seen=[])
        step(pull)
    end(pull, plan)


def is_due(pull: Pull) -> bool:
    swept_at = pull.state.get("swept_at")
    return not swept_at or pull.clock() - datetime.fromisoformat(swept_at) >= EVERY - SLACK


def judge_window(pull: Pull, first: date, last: date, plan: dict[str, Any]) -> None:
    """Note which known orders a window misses that was listed whole."""
    days = (first + timedelta(days=n) for n in range(EDGE, (last - first).days))
    known = {order_id for day in days for order_id in pull.state["orders"].get(day.isoformat(), ())}
    plan["known"] += len(known)
    plan["missing"].extend(sorted(known - set(plan["seen"])))


def end(pull: Pull, plan: dict[str, Any]) -> None:
    missing = [order_id for order_id in plan["missing"] if order_id in pull.order_days]
    swept_at = pull.clock().astimezone(UTC)
    if orders.is_doubted(pull, "swept order", len(missing), plan["known"], len(missing) < plan["known"]):
        swept_at -= EVERY - AGAIN
    else:
        for order_id in missing:
            pull.state["missing_orders"].setdefault(order_id, 0)
            orders.want_details(pull, order_id)
    del pull.state["sweep"]
    pull.state["swept_at"] = swept_at.isoformat(timespec="seconds")
    checkpoint(pull)
