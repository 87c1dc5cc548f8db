"""Listing contacts: all of them, and those who wrote lately."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ingestion.chatwoot.api import Answer, count_of, number
from ingestion.chatwoot.memory import mark, set_mark, short_hash
from ingestion.chatwoot.run import STUCK, Run, ids_of, is_past, page_of


def note_contacts(run: Run, answer: Answer, rows: list[dict[str, Any]], round_: int | None = None) -> int:
    """Remember the contacts of a page, and land it where one is news; how many were."""
    news = 0
    for row in rows:
        found = number(row.get("id"))
        if found is None:
            continue
        told = (row.get(key) for key in ("name", "phone_number", "email", "identifier", "blocked", "custom_attributes"))
        known_by = [
            (one.get("source_id"), (one.get("inbox") or {}).get("id"))
            for one in row.get("contact_inboxes") or []
            if isinstance(one, dict) and isinstance(one.get("inbox") or {}, dict)
        ]
        look = short_hash(*told, row.get("additional_attributes"), known_by)
        before = run.memory.execute("select hash from contacts where id = ?", [found]).fetchone()
        news += before is None or before[0] != look
        run.memory.execute(
            "insert into contacts values (?, ?, ?) on conflict (id) do update set hash = excluded.hash, "
            "round = coalesce(excluded.round, round)",
            [found, look, round_],
        )
    if news:
        run.land(answer, news)
    return news


def list_contacts(run: Run) -> datetime:
    """Every contact that Chatwoot lists; when the listing began. Fewer in all than before means that some moved up: a
    page back then. Where Chatwoot still counts more than it showed, the whole is walked once more.
    """
    listing = mark(run.memory, "contact_listing") or {
        "round": (mark(run.memory, "contact_round") or 0) + 1,
        "page": 1,
        "started": run.now.isoformat(),
    }
    round_, page = listing["round"], max(1, listing["page"] - 1)
    set_mark(run.memory, "contact_round", round_)
    before: int | None = None
    is_second_walk = False
    without_news = 0
    while True:
        answer, rows = page_of(run, "/contacts", sort="created_at", include_contact_inboxes="true", page=page)
        ids = set(ids_of(rows))
        total = count_of(answer.data, "count", "total_count", "all_count")
        if not ids:
            seen = run.memory.execute("select count(*) from contacts where round = ?", [round_]).fetchone()[0]
            if total is None or seen >= total or is_second_walk:
                break
            page, is_second_walk = 1, True
            continue
        known = run.memory.execute(
            f"select count(*) from contacts where round = ? and id in ({','.join('?' * len(ids))})", [round_, *ids]
        ).fetchone()[0]
        note_contacts(run, answer, rows, round_)
        has_shrunk = total is not None and before is not None and total < before
        before = total if total is not None else before
        without_news = without_news + 1 if known == len(ids) and not is_second_walk else 0
        if without_news >= STUCK:
            run.problem(f"Chatwoot shows the same contacts on page {page} as before: the listing ended there")
            break
        page = max(1, page - 1) if has_shrunk else page + 1
        set_mark(run.memory, "contact_listing", listing | {"page": page})
        run.progress("contacts", page)
        run.lander.step()
    set_mark(run.memory, "contact_listing", None)
    return datetime.fromisoformat(listing["started"])


def list_active_contacts(run: Run, since: datetime) -> None:
    """The contacts who wrote lately, newest first; those edited without writing come with the nightly list."""
    page = 1
    seen: set[int] = set()
    while True:
        answer, rows = page_of(run, "/contacts", sort="-last_activity_at", include_contact_inboxes="true", page=page)
        note_contacts(run, answer, rows)
        run.lander.step()
        if is_past(rows, since, seen):
            return
        page += 1
