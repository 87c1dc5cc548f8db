"""What the receiver says on stderr: one line each, without secrets, bodies, paths or numbers of people."""

from __future__ import annotations

import sys
import threading
import time
from datetime import UTC, datetime

QUIET_SECONDS = 10.0


def log_line(text: str) -> None:
    print(f"{datetime.now(UTC).isoformat(timespec='seconds')} receive: {text}", file=sys.stderr, flush=True)


class Refusals:
    """Counts refusals, and says each kind of them at most once in ten seconds, so that a flood fills no disk."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}
        self._unsaid: dict[tuple[int, str, str], int] = {}
        self._said_at: dict[tuple[int, str, str], float] = {}

    def say(self, status: int, door: str, reason: str) -> None:
        """Count a refusal. reason: one of few fixed texts."""
        kind = (status, door, reason)
        with self._lock:
            self._counts[f"{door} {status}"] = self._counts.get(f"{door} {status}", 0) + 1
            if time.monotonic() - self._said_at.get(kind, -1e9) < QUIET_SECONDS:
                self._unsaid[kind] = self._unsaid.get(kind, 0) + 1
                return
            self._said_at[kind] = time.monotonic()
            more = self._unsaid.pop(kind, 0)
        log_line(f"{status or 'warning'} {door}: {reason}" + (f" ({more} more like it before)" if more else ""))

    def counts(self) -> dict[str, int]:
        """Refusals by door and status."""
        with self._lock:
            return dict(self._counts)
