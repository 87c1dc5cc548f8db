"""Whether Salla sorts a list as it was asked to: what it ignores is remembered, said, and done without."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from ingestion.salla.asking import Page, Pull, whole

NEWEST_CHANGED, BY_ID = "updated_at-desc", "id-asc"
TRIED_AGAIN = timedelta(hours=20)
MOST_TIMES = 500
LAG = timedelta(hours=1)  # a list may be shown as it was a while ago
APART = timedelta(minutes=1)
ENOUGH_ROWS = 5


def note_ignored(pull: Pull, sort_by: str) -> None:
    """Say that Salla does not sort, and remember it for a while."""
    pull.state.setdefault("unsorted", {})[sort_by] = pull.clock().astimezone(UTC).isoformat(timespec="seconds")
    pull.problem(unsorted_line(sort_by))


def unsorted_line(sort_by: str) -> str:
    return (
        f"GET /orders: Salla ignores sort_by={sort_by}; nothing is missed, the orders of the last weeks are listed to the "
        "end instead, which takes more questions"
    )


def is_ignored(pull: Pull, sort_by: str) -> bool:
    """Whether Salla did not sort lately; after a while it is tried again."""
    noted = pull.state.get("unsorted", {}).get(sort_by)
    return bool(noted) and pull.clock() - datetime.fromisoformat(noted) < TRIED_AGAIN


def note_sorted(pull: Pull, sort_by: str) -> None:
    pull.state.get("unsorted", {}).pop(sort_by, None)


def check_ids(pull: Pull, page: Page) -> None:
    """That the rows of a page came by id."""
    ids = [found for row in page.rows if (found := whole(row.get("id"))) is not None]
    if ids != sorted(ids):
        note_ignored(pull, BY_ID)
    elif len(set(ids)) >= ENOUGH_ROWS:
        note_sorted(pull, BY_ID)


def note_changed_at(pull: Pull, order_id: str, body: dict[str, Any] | None) -> None:
    """Remember when an order was last changed, as its details tell; lists do not."""
    data = (body or {}).get("data")
    at = changed_at(data.get("updated_at")) if isinstance(data, dict) else None
    times: dict[str, str] = pull.state.setdefault("changed", {})
    if at is None:
        return
    times[order_id] = at.isoformat()
    if len(times) > 2 * MOST_TIMES:
        for old in sorted(times, key=lambda one: times[one])[:-MOST_TIMES]:
            del times[old]


def changed_at(value: Any) -> datetime | None:
    """A time of Salla's as its clock shows it, without a zone: all of a store's are of one."""
    text = value.get("date") if isinstance(value, dict) else value
    try:
        return datetime.fromisoformat(str(text)[:19]).replace(tzinfo=None)
    except ValueError:
        return None


def suspect(pull: Pull, listed: list[str]) -> tuple[str, datetime] | None:
    """Of orders as they were listed, one that seems to stand too high, and the time of a change below it; null where
    all is in order. It may have been changed without our knowing, so only its own details prove it.
    """
    latest = pull.clock().astimezone(pull.zone).replace(tzinfo=None) - LAG
    times = pull.state.get("changed", {})
    oldest: tuple[str, datetime] | None = None
    for order_id in listed:
        if order_id not in times:
            continue
        at = datetime.fromisoformat(times[order_id])
        if oldest is not None and at > oldest[1] + APART and at <= latest:
            return oldest[0], at
        if oldest is None or at < oldest[1]:
            oldest = order_id, at
    return None
