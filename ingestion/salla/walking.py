"""Listings that say nothing of what changed: walked from the newest on, until what comes is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ingestion.salla.asking import Page, Pull, digest, id_of, land, pages, step

KNOWN_IN_A_ROW = 60
# computed when asked, or told apart from the object itself
VOLATILE = frozenset({"age_in_minutes", "pending_payment_ends_at", "views", "checkout_url", "urls", "read"})

NoteRow = Callable[[dict[str, Any], Page], bool | None]


def walk(
    pull: Pull,
    name: str,
    path: str,
    params: Mapping[str, Any] | None,
    per_page: int,
    note: NoteRow,
    may_stop: Callable[[Page], bool] = lambda page: True,
    is_full: bool = False,
) -> set[str]:
    """Walk a listing that has the newest first until KNOWN_IN_A_ROW rows in a row are known, unchanged.

    A walk that was broken off goes on at its page; what it had noted itself does not count as known, else the rows
    behind would never be reached. Then the listing is walked from its beginning again.

    Args:
        name: under which the place is remembered.
        note: remembers a row; True: new or changed, False: known, None: says nothing either way.
        may_stop: whether the walk may end after this page.
        is_full: to the last page, whatever is known.

    Returns:
        The ids seen.
    """
    seen: set[str] = set()
    places = pull.state.setdefault("walks", {})
    if name in places:
        walk_on(pull, name, path, params, per_page, note, may_stop, seen)
        is_full = False
    places[name] = {"page": 1, "ids": [], "is_full": is_full}
    walk_on(pull, name, path, params, per_page, note, may_stop, seen)
    return seen


def walk_on(
    pull: Pull,
    name: str,
    path: str,
    params: Mapping[str, Any] | None,
    per_page: int,
    note: NoteRow,
    may_stop: Callable[[Page], bool],
    seen: set[str],
) -> None:
    place = pull.state["walks"][name]
    own = set(place["ids"])
    known = 0
    has_rows = bool(pull.order_days if name == "orders" else pull.state["known"][name])
    # a page earlier: rows that vanished since have moved the others up
    for page in pages(pull, path, params, per_page, max(1, place["page"] - 1), has_rows):
        noted = {row_id: note(row, page) for row in page.rows if (row_id := id_of(row))}
        fresh = [row_id for row_id, is_new in noted.items() if is_new]
        is_news = tells_new_total(pull, path, page)
        if fresh or is_news:
            land(pull, page.answer)
        pull.objects += len(fresh)
        place["page"] = page.number
        place["ids"].extend(row_id for row_id in fresh if row_id not in own)
        own.update(fresh)
        seen.update(noted)
        for row_id, is_new in noted.items():
            if is_new:
                known = 0
            elif is_new is False and row_id not in own:
                known += 1
        step(pull)
        if known >= KNOWN_IN_A_ROW and may_stop(page) and not place["is_full"]:
            break
    del pull.state["walks"][name]
    step(pull)


def tells_new_total(pull: Pull, path: str, page: Page) -> bool:
    """Whether Salla counts other than it last did: such a page lands, for our own count to be compared with. That a list
    is empty is not believed from one page."""
    totals = pull.state.setdefault("totals", {})
    if page.total is None or page.total == totals.get(path) or (not page.rows and totals.get(path)):
        return False
    totals[path] = page.total
    return True


def note_hash(pull: Pull, name: str) -> NoteRow:
    """Remembers rows by a hash of all they say."""
    known = pull.state.setdefault("known", {}).setdefault(name, {})

    def note(row: dict[str, Any], page: Page) -> bool:
        row_id, fresh = str(id_of(row)), row_hash(row)
        is_new = known.get(row_id) != fresh
        known[row_id] = fresh
        return is_new

    return note


def row_hash(row: Mapping[str, Any]) -> str:
    return digest({key: value for key, value in row.items() if key not in VOLATILE})
