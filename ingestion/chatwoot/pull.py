"""Pulling Chatwoot: everything once, then what changed, and what changes without saying so.

A run lists conversations (all of them the first time, each night and after a long break; otherwise what changed since
the last run, what is active, and what is open), reads the messages of those that moved, and the contacts. Pages show
most things again and again: one lands only where something in it is new or looks different.

What Chatwoot does not tell is looked for: reads and deliveries (open conversations are listed again, messages of the
last days read again), and deletions (ids that neither a full listing nor a question by itself finds: a tombstone).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import requests

from ingestion.chatwoot import memory as remembered
from ingestion.chatwoot.api import Answer, listed, open_api, without_secrets
from ingestion.chatwoot.contacts import list_active_contacts, list_contacts
from ingestion.chatwoot.conversations import list_active, list_changed, list_everything, list_open
from ingestion.chatwoot.memory import mark, set_mark
from ingestion.chatwoot.messages import READ_AGAIN, conversations_to_read, read_messages_of
from ingestion.chatwoot.missing import look_for_the_missing
from ingestion.chatwoot.run import Depth, Run
from ingestion.erasing.lines import cleaner
from ingestion.http import ComeBackLater, SourceRefused
from ingestion.pulling import Lander, Pulled, stay_away, told_to_stay_away
from ingestion.settings import Settings, Workspace
from ingestion.state import locked, read_state, state_file, write_state

CATALOGUES = ("/agents", "/inboxes", "/teams", "/labels")
OVERLAP = timedelta(minutes=10)  # of each increment with the one before
LONGEST_INCREMENT = timedelta(days=1)  # after a longer break everything is listed: an increment is one single answer


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
