"""Reading the messages of conversations: what is new, and what may have changed since."""

from __future__ import annotations

from datetime import timedelta

from ingestion.chatwoot.api import ASKED_AGAIN, PAUSE, Answer, listed, number
from ingestion.chatwoot.memory import short_hash
from ingestion.chatwoot.run import Depth, Run, ids_of
from ingestion.http import SourceRefused, SourceUnavailable

READ_AGAIN = timedelta(days=7)  # messages change that long: deliveries, reads, deletions
UNSETTLED = timedelta(days=1)  # a refresh asks that long whether what was sent arrived
MOST_UNSETTLED = 500  # conversations that a refresh asks so
MESSAGES_A_PAGE = 100
MOST_IN_A_RANGE = 1000  # messages that one answer holds between two ids
GIVE_UP = 3  # conversations in a row without an answer: the source is down


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
