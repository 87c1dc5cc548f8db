"""What every pull has in common: what it reports, and landing what was answered before it is remembered."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ingestion.errors import SalwaError
from ingestion.landing import Delivery, LandingWriter
from ingestion.redaction import redact

BATCH_LINES = 300
BATCH_BYTES = 16 * 1024 * 1024
BATCH_STEPS = 1000  # also where nothing was news
NAME = "pull"
MOST_ABSENCE = timedelta(days=1)  # a source that asks to be left alone for longer is asked again all the same


@dataclass
class Pulled:
    """What a pull brought: lines landed, objects in them that were new or changed, and what it could not do."""

    pages: int = 0
    objects: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Finding:
    """One thing a check looked at. `advice` says what to do where it is not good."""

    what: str
    is_good: bool
    advice: str = ""


def stay_away(state: dict[str, Any], who: str, now: datetime, seconds: float) -> str:
    """Remember that a source asks to be left alone for so long from now; the line that says so."""
    until = now + min(timedelta(seconds=min(seconds, 1e9)), MOST_ABSENCE)
    state["not_before"] = until.timestamp()
    return f"{who} asked us to come back at {until.astimezone(UTC):%Y-%m-%d %H:%M} UTC; what is left waits until then"


def told_to_stay_away(state: Mapping[str, Any], who: str, now: datetime) -> str | None:
    """The line that says that nothing may be asked yet; null where the source may be asked."""
    told = state.get("not_before")
    until = datetime.fromtimestamp(told, UTC) if isinstance(told, int | float) else now
    if not now < until <= now + MOST_ABSENCE:  # further away only if a clock was wrong
        return None
    return f"{who} asked us to come back at {until:%Y-%m-%d %H:%M} UTC; nothing was asked"


class Lander:
    """Lands answers in files of bounded size. `remember` is called when a file is landed, `forget` when it is not:
    what a pull remembers never runs ahead of what landed, so a kill repeats a little and loses nothing.

    >>> with Lander(landing, "default", "chatwoot", "1", now) as lander:
    ...     lander.land("GET /agents", body, answered_at)
    """

    def __init__(
        self,
        landing: Path,
        workspace: str,
        source: str,
        account: str | None,
        now: datetime,
        remember: Callable[[], None] = lambda: None,
        forget: Callable[[], None] = lambda: None,
        clean: Callable[[Delivery], Delivery] | None = None,
    ) -> None:
        self.lines = 0
        self._folder = landing / workspace / source
        self._place = (landing, workspace, source)
        self._account = account
        self._now = now.astimezone(UTC)
        self._remember = remember
        self._forget = forget
        self._clean = clean
        self._writer: LandingWriter | None = None
        self._bytes = self._steps = 0

    def __enter__(self) -> Lander:
        # one pull of a source runs at a time, so what a killed one left half written is nobody's
        for left in self._folder.glob(f"*/.{NAME}-*.partial"):
            left.unlink(missing_ok=True)
        return self

    def land(self, kind: str, body: bytes, answered_at: datetime) -> None:
        """Write one answer; tokens in it do not land."""
        if self._writer is None:
            name = f"{NAME}-{self._now:%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:12]}"
            self._writer = LandingWriter(*self._place, name, self._now.date().isoformat(), self._clean)
        cleaned = redact(body)
        received_at = answered_at.astimezone(UTC).isoformat()
        self._writer.append(Delivery(body=cleaned, kind=kind, received_at=received_at, account=self._account))
        self.lines += 1
        self._bytes += len(cleaned)

    def step(self) -> None:
        """Between two answers, when what was landed and what is remembered agree: end the file if it is large."""
        self._steps += 1
        lines = self._writer.lines if self._writer else 0
        if lines >= BATCH_LINES or self._bytes >= BATCH_BYTES or self._steps >= BATCH_STEPS:
            self.flush()

    def flush(self) -> None:
        """Give the file its name, then remember."""
        writer, self._writer = self._writer, None
        self._bytes = self._steps = 0
        if writer is not None:
            writer.__exit__(None)
        self._remember()

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        if failed is None or issubclass(failed, SalwaError):  # a source that fails half-way keeps what it gave
            self.flush()
            return
        if self._writer is not None:
            self._writer.discard()
        with suppress(Exception):
            self._forget()
