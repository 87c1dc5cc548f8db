"""Listing conversations: all of them, those that changed, those that are active, those that are open."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from ingestion.chatwoot.api import Answer, count_of, number
from ingestion.chatwoot.memory import mark, note_conversation, set_mark, short_hash
from ingestion.chatwoot.run import STUCK, Run, ids_of, is_past, page_of

MOST_OPEN_PAGES = 40  # of open conversations that a refresh looks at; the nightly run sees all
PART_ROWS = 200  # of an answer without pages, per landed line


def look_of(row: dict[str, Any]) -> dict[str, Any]:
    """What to remember of a conversation as it is told: hashes without what changes by itself, such as who is online."""
    meta = row.get("meta") if isinstance(row.get("meta"), dict) else {}
    sender, assignee, team = (
        (meta.get(key) if isinstance(meta.get(key), dict) else {}) for key in ("sender", "assignee", "team")
    )
    messages = (
        [one for one in row.get("messages") or [] if isinstance(one, dict)]
        if isinstance(row.get("messages"), list)
        else []
    )
    newest = messages[-1] if messages else {}
    moved = [row.get("last_activity_at"), newest.get("id"), newest.get("status"), newest.get("updated_at")]
    rest = [
        *moved,
        *(row.get(key) for key in ("status", "labels", "inbox_id", "priority", "snoozed_until", "unread_count")),
        *(row.get(key) for key in ("agent_last_seen_at", "assignee_last_seen_at", "contact_last_seen_at")),
        *(row.get(key) for key in ("waiting_since", "first_reply_created_at", "custom_attributes")),
        *(sender.get(key) for key in ("id", "name", "phone_number", "email", "identifier", "custom_attributes")),
        assignee.get("id"),
        assignee.get("name"),
        team.get("id"),
    ]
    return {
        "hash": short_hash(row.get("updated_at"), rest),
        "talk": short_hash(row.get("updated_at"), moved),
        "rest": short_hash(rest),
        "newest_message": number(newest.get("id")),
    }


def note_page(run: Run, answer: Answer, rows: list[dict[str, Any]], round_: int | None = None) -> int:
    """Remember the conversations of a page, and land it where one of them is news; how many were."""
    news = 0
    for row in rows:
        if (found := number(row.get("id"))) is not None:
            news += note_conversation(run.memory, look_of(row), {"id": found}, round_)
    if news:
        run.land(answer, news)
    return news


def list_everything(run: Run) -> datetime:
    """Every conversation, oldest first; when the listing began. A killed one goes on a page before the one it came to.

    Ids are given in the order of creation. Where a page begins after a gap, what stood there may have moved up a page
    because something before it was deleted: the page before is read again, and the one before that, until they meet.
    Where Chatwoot still counts more than it showed, the whole is walked once more.
    """
    listing = mark(run.memory, "listing") or {
        "round": (mark(run.memory, "round") or 0) + 1,
        "page": 1,
        "high": 0,
        "started": run.now.isoformat(),
    }
    round_, page, high = listing["round"], max(1, listing["page"] - 1), listing["high"]
    set_mark(run.memory, "round", round_)
    settled: int | None = None
    looking_back = is_second_walk = False
    without_news = 0
    while True:
        answer, rows = page_of(run, "/conversations", status="all", sort_by="created_at_asc", page=page)
        ids = ids_of(rows)
        if not ids:
            told = count_of(answer.data, "all_count")
            seen = run.memory.execute("select count(*) from conversations where round = ?", [round_]).fetchone()[0]
            if told is None or seen >= told or is_second_walk:
                break
            page, high, is_second_walk = 1, 0, True
            continue
        known = run.memory.execute(
            f"select count(*) from conversations where round = ? and id in ({','.join('?' * len(ids))})", [round_, *ids]
        ).fetchone()[0]
        note_page(run, answer, rows, round_)
        if min(ids) > high + 1 and page > 1 and settled != high:
            page, looking_back = page - 1, True
            continue
        if looking_back:
            settled, looking_back = high, False
        without_news = without_news + 1 if known == len(set(ids)) and max(ids) <= high else 0  # moving rows do it once
        if without_news >= STUCK:
            told, seen = None, 0
            run.problem(f"Chatwoot shows the same conversations on page {page} as before: the listing ended there")
            break
        high = max(high, *ids)
        page += 1
        set_mark(run.memory, "listing", listing | {"page": page, "high": high})
        run.progress("conversations", high)
        run.lander.step()
    if told is not None and seen < told:
        run.problem(f"Chatwoot counts {told} conversations, but its list showed {seen}; the nightly run asks for each")
    set_mark(run.memory, "listing", None)
    return datetime.fromisoformat(listing["started"])


def list_changed(run: Run, seconds: int) -> None:
    """What changed since the last run: one answer, landed in parts where it is long."""
    answer, rows = page_of(run, "/conversations", status="all", updated_within=seconds)
    for start in range(0, len(rows), PART_ROWS):
        part = rows[start : start + PART_ROWS]
        if len(rows) > PART_ROWS:
            body = json.dumps({"data": {"payload": part}}, ensure_ascii=False).encode("utf-8", "surrogatepass")
            note_page(run, Answer(answer.kind, body, None, answer.at), part)
        else:
            note_page(run, answer, part)
        run.lander.step()


def list_active(run: Run, since: datetime) -> None:
    """The most recently active ones: a message need not change what `updated_within` looks at."""
    page = 1
    seen: set[int] = set()
    while True:
        answer, rows = page_of(run, "/conversations", status="all", sort_by="last_activity_at_desc", page=page)
        note_page(run, answer, rows)
        run.lander.step()
        if is_past(rows, since, seen):
            return
        page += 1


def list_open(run: Run) -> None:
    """The open ones: an agent who reads one changes nothing that the other listings look at."""
    for page in range(1, MOST_OPEN_PAGES + 1):
        answer, rows = page_of(run, "/conversations", status="open", sort_by="last_activity_at_desc", page=page)
        if not rows:
            return
        note_page(run, answer, rows)
        run.lander.step()
