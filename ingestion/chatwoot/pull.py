"""Pulling Chatwoot: everything once, then what changed, and what changes without saying so.

A run lists conversations (all of them the first time, each night and after a long break; otherwise what changed since
the last run, what is active, and what is open), reads the messages of those that moved, and the contacts. Pages show
most things again and again: one lands only where something in it is new or looks different.

What Chatwoot does not tell is looked for: reads and deliveries (open conversations are listed again, messages of the
last days read again), and deletions (ids that neither a full listing nor a question by itself finds: a tombstone).
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

import requests

from ingestion.chatwoot import memory as remembered
from ingestion.chatwoot.api import ASKED_AGAIN, PAUSE, Answer, Api, count_of, listed, number, open_api, without_secrets
from ingestion.chatwoot.memory import mark, note_conversation, set_mark, short_hash
from ingestion.erasing.lines import cleaner
from ingestion.http import ComeBackLater, SourceRefused, SourceUnavailable
from ingestion.pulling import Lander, Pulled, stay_away, told_to_stay_away
from ingestion.settings import Settings, Workspace
from ingestion.state import locked, read_state, state_file, write_state

Depth = Literal["refresh", "nightly"]
CATALOGUES = ("/agents", "/inboxes", "/teams", "/labels")
OVERLAP = timedelta(minutes=10)  # of each increment with the one before
LONGEST_INCREMENT = timedelta(days=1)  # after a longer break everything is listed: an increment is one single answer
READ_AGAIN = timedelta(days=7)  # messages change that long: deliveries, reads, deletions
UNSETTLED = timedelta(days=1)  # a refresh asks that long whether what was sent arrived
MOST_UNSETTLED = 500  # conversations that a refresh asks so
MOST_OPEN_PAGES = 40  # of open conversations that a refresh looks at; the nightly run sees all
MOST_GAPS = 5000  # never-seen ids that one night asks for by themselves
MOST_GONE = 50  # more at once, and over a tenth of all, must be missing two nights in a row
PART_ROWS = 200  # of an answer without pages, per landed line
MESSAGES_A_PAGE = 100
MOST_IN_A_RANGE = 1000  # messages that one answer holds between two ids
STUCK = 5  # pages in a row that show nothing new: the source does not turn them
GIVE_UP = 3  # conversations in a row without an answer: the source is down


@dataclass
class Run:
    """One run of the pull: what it asks, where it lands, what it remembers."""

    api: Api
    memory: sqlite3.Connection
    lander: Lander
    now: datetime
    pulled: Pulled = field(default_factory=Pulled)
    progress: Callable[[str, int], None] = lambda what, done: None

    def land(self, answer: Answer, objects: int) -> None:
        self.lander.land(answer.kind, answer.body, answer.at)
        self.pulled.objects += objects

    def problem(self, text: str) -> None:
        self.pulled.problems.append(text)


def pull_chatwoot(
    settings: Settings,
    workspace: Workspace,
    depth: Depth,
    now: datetime,
    sleep: Callable[[float], None] = time.sleep,
    *,
    session: requests.Session | None = None,
    clock: Callable[[], datetime] | None = None,
    progress: Callable[[str, int], None] = lambda what, done: None,
) -> Pulled:
    """Land what Chatwoot has and we do not. Killed at any point, the next run goes on from there; two at once take turns.

    Args:
        now: the moment the run starts, with a zone.
        session, clock: for tests; how to ask, and the moment an answer comes.
        progress: told what is read and how much of it, now and then.

    Raises:
        SourceRefused: a person has to mend something; the line says what.
        SourceUnavailable: Chatwoot does not answer; what it gave before that is landed.
        SalwaError: a setting is missing.
    """
    api = open_api(settings, workspace, now, sleep, session, clock)
    summary = state_file(settings.data, workspace.name, "chatwoot")
    with locked(summary):
        before = read_state(summary)
        if line := told_to_stay_away(before, "Chatwoot", api.clock()):
            return Pulled(problems=[line])
        memory = remembered.open_memory(summary.with_name(f"chatwoot-{api.account}.sqlite"), api.url)
        try:
            lander = Lander(
                settings.landing,
                workspace.name,
                "chatwoot",
                api.account,
                now,
                remember=lambda: remembered.commit(memory),
                forget=lambda: remembered.rollback(memory),
                clean=cleaner(settings, workspace.name, "chatwoot"),
            )
            with lander:
                run = Run(api, memory, lander, now, progress=progress)
                try:
                    pull_everything(run, depth)
                    done = {"account": api.account, "last_success": api.clock().isoformat(), "depth": depth}
                except ComeBackLater as later:
                    run.problem(stay_away(before, "Chatwoot", api.clock(), later.seconds))
                    done = before
            run.pulled.pages = lander.lines
            write_state(summary, done | {"last_start": now.isoformat(), "problems": run.pulled.problems})
        finally:
            memory.close()
    return run.pulled


def pull_everything(run: Run, depth: Depth) -> None:
    since = mark(run.memory, "since")
    pause = None if since is None else run.now - datetime.fromisoformat(since)
    complete_at = run.now
    pull_catalogues(run)
    if depth == "nightly" or pause is None or pause > LONGEST_INCREMENT or mark(run.memory, "listing"):
        complete_at = min(complete_at, list_everything(run))
    else:
        seconds = int((max(pause, timedelta()) + OVERLAP).total_seconds())
        list_changed(run, seconds)
        list_active(run, run.now - timedelta(seconds=seconds))
        list_open(run)
    read_messages_of(run, conversations_to_read(run, depth))
    if depth == "nightly" or since is None:
        complete_at = min(complete_at, list_contacts(run))
    else:
        list_active_contacts(run, datetime.fromisoformat(since) - OVERLAP)
    if depth == "nightly":
        look_for_the_missing(run)
        read_messages_of(run, conversations_to_read(run, "refresh"))
    pull_counts(run)
    old = (run.now - READ_AGAIN - timedelta(days=1)).timestamp()
    run.memory.execute("delete from messages where created_at < ?", [old])
    set_mark(run.memory, "since", complete_at.isoformat())


def pull_catalogues(run: Run) -> None:
    """Agents, inboxes, teams and labels, whole."""
    for path in CATALOGUES:
        answer = run.api.ask(path)
        cleaned = without_secrets(answer.data)
        if cleaned != answer.data:
            answer = Answer(answer.kind, json.dumps(cleaned, ensure_ascii=False).encode(), cleaned, answer.at)
        run.land(answer, len(listed(answer.data)))
        run.lander.step()


def pull_counts(run: Run) -> None:
    """What Chatwoot itself counts, to be compared with what we count. An old one does not have all of them."""
    for path, version, params in (
        ("/conversations/meta", "v1", {"status": "all"}),
        ("/conversations/meta", "v1", {"status": "open"}),
        ("/live_reports/conversation_metrics", "v2", {}),
    ):
        try:
            run.land(run.api.ask(path, version, **params), 1)
        except SourceRefused as error:
            if error.status not in (401, 403, 404, 422):
                raise
            run.problem(
                f"Chatwoot does not tell its own counts at {path} ({error.status}): nothing to compare ours with"
            )


# --- conversations ---------------------------------------------------------------------------------------------------


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


def page_of(run: Run, path: str, **params: Any) -> tuple[Answer, list[dict[str, Any]]]:
    """One page; an empty one only when it is empty again and again."""
    answer = run.api.ask(path, **params)
    for _ in range(ASKED_AGAIN):
        if listed(answer.data):
            break
        run.api.sleep(PAUSE)
        answer = run.api.ask(path, **params)
    return answer, listed(answer.data)


def ids_of(rows: Iterable[dict[str, Any]]) -> list[int]:
    return [found for row in rows if (found := number(row.get("id"))) is not None]


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


def is_past(rows: list[dict[str, Any]], since: datetime, seen: set[int]) -> bool:
    """Whether a walk from the newest on is done: nothing on the page is as new as that, or nothing was not seen before."""
    newest = max((number(row.get("last_activity_at")) or 0 for row in rows), default=0)
    is_repeated = seen.issuperset(ids_of(rows))
    seen.update(ids_of(rows))
    return newest < since.timestamp() or is_repeated


def list_open(run: Run) -> None:
    """The open ones: an agent who reads one changes nothing that the other listings look at."""
    for page in range(1, MOST_OPEN_PAGES + 1):
        answer, rows = page_of(run, "/conversations", status="open", sort_by="last_activity_at_desc", page=page)
        if not rows:
            return
        note_page(run, answer, rows)
        run.lander.step()


def look_for_the_missing(run: Run) -> None:
    """Ask by itself for each id that the listing did not show; one that is not there, and not the second time, is gone."""
    round_ = mark(run.memory, "round")
    rows = run.memory.execute("select id, round, missing_at, gone_at from conversations").fetchall()
    shown = sum(row[1] == round_ for row in rows)
    ids = {row[0] for row in rows}
    high = max((row[0] for row in rows if row[1] == round_), default=0)
    known = {row[0]: row[2] for row in rows if row[1] != round_ and row[3] is None}  # also the newest of all
    gaps = [found for found in range(1, high + 1) if found not in ids][:MOST_GAPS]
    if not high:
        return
    missing = [one for one in [*sorted(known), *gaps] if is_missing(run, one)]
    lost = [one for one in missing if one in known]
    is_suspicious = len(lost) > max(MOST_GONE, shown // 10)
    for one in missing:
        if is_suspicious and one in known and known[one] is None:
            run.memory.execute("update conversations set missing_at = ? where id = ?", [run.now.timestamp(), one])
        elif is_missing(run, one):
            bury(run, one)
        run.lander.step()
    if is_suspicious:
        run.problem(
            f"{len(lost)} conversations of {len(lost) + shown} cannot be found: is the token still an administrator's? "
            "What is still missing the next night counts as deleted"
        )


def is_missing(run: Run, conversation: int) -> bool:
    """Whether Chatwoot says that there is no such conversation; one that is there is landed."""
    try:
        answer = run.api.ask(f"/conversations/{conversation}")
    except SourceRefused as error:
        if error.status in (401, 403):
            run.api.ask("/agents")  # raises where the token itself is the trouble
        return error.status == 404
    if isinstance(answer.data, dict) and number(answer.data.get("id")) == conversation:
        note_page(run, answer, [answer.data], mark(run.memory, "round"))
    return False


def bury(run: Run, conversation: int) -> None:
    """Land a tombstone."""
    gone_at = run.api.clock()
    body = json.dumps({"conversation_id": conversation, "gone_at": gone_at.isoformat()}).encode()
    run.land(Answer("tombstone", body, None, gone_at), 1)
    run.memory.execute(
        "insert into conversations (id, gone_at) values (?, ?) "
        "on conflict (id) do update set gone_at = excluded.gone_at, todo = 0",
        [conversation, gone_at.timestamp()],
    )


# --- messages --------------------------------------------------------------------------------------------------------


def conversations_to_read(run: Run, depth: Depth) -> list[tuple[int, int]]:
    """(id, todo) of the conversations whose messages may have changed."""
    found = dict(run.memory.execute("select id, todo from conversations where todo > 0 and gone_at is null").fetchall())
    if depth == "nightly":
        again = run.memory.execute(
            "select distinct conversation from messages where created_at >= ?", [(run.now - READ_AGAIN).timestamp()]
        ).fetchall()
    else:
        again = run.memory.execute(
            "select conversation, max(created_at) from messages where is_unsettled and created_at >= ? "
            "group by conversation order by 2 desc limit ?",
            [(run.now - UNSETTLED).timestamp(), MOST_UNSETTLED],
        ).fetchall()
    gone = {row[0] for row in run.memory.execute("select id from conversations where gone_at is not null")}
    return sorted(({row[0]: 1 for row in again if row[0] not in gone} | found).items())


def read_messages_of(run: Run, conversations: list[tuple[int, int]]) -> None:
    unanswered = hidden = 0
    for done, (conversation, todo) in enumerate(conversations, 1):
        try:
            if not read_messages(run, conversation) and todo == 2:
                # it changed, and nothing of what we looked at: perhaps an old message was deleted
                read_messages(run, conversation, from_start=True)
            unanswered = 0
        except SourceRefused as error:
            if error.status == 404:  # the nightly run finds out whether it is gone
                run.memory.execute("update conversations set todo = 0, round = null where id = ?", [conversation])
                continue
            if error.status not in (401, 403):
                raise
            run.api.ask("/agents")
            hidden += 1
        except SourceUnavailable as error:
            unanswered += 1
            if unanswered >= GIVE_UP:
                raise
            run.problem(f"messages of conversation {conversation}: {error}; the next run asks again")
        run.lander.step()
        if done % 100 == 0:
            run.progress("conversations read", done)
    if hidden:
        run.problem(f"{hidden} conversations cannot be read: take the access token of an administrator")


def read_messages(run: Run, conversation: int, from_start: bool = False) -> int:
    """Read the messages after the last landed one, and those before it that may still change; how many were news.

    An answer holds the earliest hundred. The last message that a listing told of is the end; else an empty answer is,
    twice.
    """
    last, newest = run.memory.execute(
        "select last_message, newest_message from conversations where id = ?", [conversation]
    ).fetchone() or (0, None)
    recent = run.memory.execute(
        "select min(id) from messages where conversation = ? and created_at >= ?",
        [conversation, (run.now - READ_AGAIN).timestamp()],
    ).fetchone()[0]
    after = 0 if from_start else min(last, last if recent is None else recent - 1)
    path = f"/conversations/{conversation}/messages"
    is_behind = newest is not None and newest > last
    news = empties = 0
    while empties <= ASKED_AGAIN:
        answer = run.api.ask(path, after=after)
        ids = ids_of(listed(answer.data))
        if not ids:
            empties += 1
            if not (is_behind and newest > after) and empties > 1:
                break
            run.api.sleep(PAUSE)
            continue
        empties = 0
        news += note_messages(run, conversation, answer, land_all=from_start)
        if ids != sorted(ids):
            news += read_range(run, conversation, after, max(ids))
        if max(ids) <= after:
            run.problem(f"conversation {conversation}: Chatwoot shows old messages where newer ones were asked for")
            break
        after = max(ids)
        if newest in ids and len(ids) < MESSAGES_A_PAGE:
            break
        run.lander.step()
    if is_behind and newest > after:
        run.problem(
            f"conversation {conversation}: its message {newest} is listed but not shown; the next run asks again"
        )
        return news
    run.memory.execute("update conversations set todo = 0 where id = ?", [conversation])
    return news


def read_range(run: Run, conversation: int, after: int, last: int) -> int:
    """All messages between two ids: where time and id disagree, those after an id leave some out."""
    answer = run.api.ask(f"/conversations/{conversation}/messages", after=after + 1, before=last + 1)
    if len(listed(answer.data)) >= MOST_IN_A_RANGE:
        run.problem(f"conversation {conversation}: over {MOST_IN_A_RANGE} messages out of order, some may be missing")
    return note_messages(run, conversation, answer, move=False)


def note_messages(run: Run, conversation: int, answer: Answer, land_all: bool = False, move: bool = True) -> int:
    """Remember the messages of a page, and land it where one is news; how many were."""
    horizon = (run.now - READ_AGAIN - timedelta(days=1)).timestamp()
    row = run.memory.execute("select last_message from conversations where id = ?", [conversation]).fetchone()
    last = row[0] if row else 0
    rows = [one for one in listed(answer.data) if number(one.get("id")) is not None]
    news = 0
    for one in rows:
        found = int(one["id"])
        look = short_hash(
            *(one.get(key) for key in ("status", "content", "content_attributes", "source_id", "private"))
        )
        before = run.memory.execute("select hash from messages where id = ?", [found]).fetchone()
        is_new = (before[0] != look) if before else (found > last or land_all or not move)
        news += is_new
        created_at = number(one.get("created_at")) or 0
        if is_new and created_at >= horizon:
            is_unsettled = (
                one.get("status") == "sent" and number(one.get("message_type")) in (1, 3) and not one.get("private")
            )
            run.memory.execute(
                "insert or replace into messages values (?, ?, ?, ?, ?)",
                [found, conversation, created_at, look, is_unsettled],
            )
    if news:
        run.land(answer, news)
    if move and rows:
        run.memory.execute(
            "insert into conversations (id, last_message) values (?, ?) on conflict (id) do update set "
            "last_message = max(last_message, excluded.last_message)",
            [conversation, max(int(one["id"]) for one in rows)],
        )
    return news


# --- contacts --------------------------------------------------------------------------------------------------------


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
