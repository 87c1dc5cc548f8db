"""Conversations that no listing shows: what is not there, twice, is gone, and a tombstone lands."""

from __future__ import annotations

import json

from ingestion.chatwoot.api import Answer, number
from ingestion.chatwoot.conversations import note_page
from ingestion.chatwoot.memory import mark
from ingestion.chatwoot.run import Run
from ingestion.http import SourceRefused

MOST_GAPS = 5000  # never-seen ids that one night asks for by themselves
MOST_GONE = 50  # more at once, and over a tenth of all, must be missing two nights in a row


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
