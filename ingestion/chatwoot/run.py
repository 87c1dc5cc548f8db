"""One run of the pull, and what all its walks through listings share."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from ingestion.chatwoot.api import ASKED_AGAIN, PAUSE, Answer, Api, listed, number
from ingestion.pulling import Lander, Pulled

Depth = Literal["refresh", "nightly"]
STUCK = 5  # pages in a row that show nothing new: the source does not turn them


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


def is_past(rows: list[dict[str, Any]], since: datetime, seen: set[int]) -> bool:
    """Whether a walk from the newest on is done: nothing on the page is as new as that, or nothing was not seen before."""
    newest = max((number(row.get("last_activity_at")) or 0 for row in rows), default=0)
    is_repeated = seen.issuperset(ids_of(rows))
    seen.update(ids_of(rows))
    return newest < since.timestamp() or is_repeated
