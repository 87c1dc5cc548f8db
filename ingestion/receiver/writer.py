"""The one thread of a worker that writes: append whatever is queued, fsync once, then release all who wait for it."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue

from ingestion.landing import FILE_BYTES
from ingestion.receiver import files
from ingestion.receiver.log import Refusals, log_line
from ingestion.state import locked, read_state, write_state

HEARTBEAT_SECONDS = 15.0
FORGET_SECONDS = 3600.0  # a worker that is silent for so long is gone
Key = tuple[str, str]  # (workspace, source)


class NotLanded(Exception):
    """The line is not on disk."""


@dataclass(frozen=True)
class Waiting:
    """A line that wants to land, and who waits for it."""

    key: Key
    line: bytes
    landed: asyncio.Future[None]


def now_text() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass
class Counts:
    """What this worker did since it started."""

    started_at: str = field(default_factory=now_text)
    landed: dict[str, int] = field(default_factory=dict)
    last_landed_at: dict[str, str] = field(default_factory=dict)
    write_errors: int = 0
    last_write_error: str | None = None


class Writer:
    """Lands lines durably. `land` belongs to the event loop, everything else to the thread."""

    def __init__(
        self,
        data: Path,
        rotate_seconds: float,
        refusals: Refusals,
        rotate_bytes: int = FILE_BYTES,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
    ) -> None:
        self.landing = data / "landing"
        self.heartbeat = data / "state" / "receiver-heartbeat.json"
        self.counts = Counts()
        self._refusals = refusals
        self._rotate_seconds = rotate_seconds
        self._rotate_bytes = rotate_bytes
        self._heartbeat_seconds = heartbeat_seconds
        self._queue: SimpleQueue[Waiting | None] = SimpleQueue()
        self._open: dict[Key, files.OpenFile] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="receiver-writer", daemon=True)
        self._failed_at = -1e9
        self._is_stopping = False
        self._left_open = False
        self._next_heartbeat = 0.0

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Close what dead processes left open, and begin.

        Raises:
            OSError: the landing zone cannot be written.
        """
        self.landing.mkdir(parents=True, exist_ok=True)
        for closed in files.close_orphans(self.landing):
            name = "an empty file" if closed.path is None else closed.path.name
            log_line(f"closed {name} of a receiver that died; cut {closed.cut_bytes} unacknowledged bytes")
        self._loop = loop
        self._thread.start()

    async def stop(self) -> None:
        """Land what is queued and close the files."""
        self._is_stopping = True
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    async def land(self, key: Key, line: bytes) -> None:
        """Return when the line is on disk.

        Raises:
            NotLanded: it is not.
        """
        assert self._loop is not None  # noqa: S101 - started
        if self._is_stopping or not self._thread.is_alive():
            raise NotLanded
        landed: asyncio.Future[None] = self._loop.create_future()
        self._queue.put(Waiting(key, line, landed))
        await landed

    def is_well(self) -> bool:
        """Whether the last half minute saw no error in writing."""
        return self._thread.is_alive() and time.monotonic() - self._failed_at > 30

    # the thread

    def _run(self) -> None:
        is_last = False
        while not is_last:
            batch, is_last = self._take()
            if batch:
                self._commit(batch)
            self._rotate(time.monotonic())
            self._beat(time.monotonic())
        self._rotate(float("inf"))
        self._write_heartbeat(stopped=True)

    def _take(self) -> tuple[list[Waiting], bool]:
        """Everything that is queued, after a wait for the first; and whether there will be no more."""
        batch: list[Waiting] = []
        with suppress(Empty):
            item = self._queue.get(timeout=self._patience())
            while item is not None:
                batch.append(item)
                item = self._queue.get_nowait()
            return batch, True
        return batch, False

    def _patience(self) -> float:
        due = [self._next_heartbeat, *(file.opened_at + self._rotate_seconds for file in self._open.values())]
        return min(max(min(due) - time.monotonic(), 0.001), 1.0)

    def _commit(self, batch: list[Waiting]) -> None:
        groups: dict[Key, list[Waiting]] = {}
        for item in batch:
            groups.setdefault(item.key, []).append(item)
        errors: dict[Key, Exception] = {}
        for key, items in groups.items():
            try:
                self._append(key, [item.line for item in items])
            except Exception as error:
                errors[key] = error
        for key in groups.keys() - errors.keys():
            try:
                files.make_durable(self._open[key])
            except Exception as error:
                errors[key] = error
        for key, error in errors.items():
            self._fail(key, error)
        for key in groups.keys() - errors.keys():
            self._count(key, len(groups[key]))
        assert self._loop is not None  # noqa: S101 - started
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(release, batch, errors.keys())

    def _append(self, key: Key, lines: list[bytes]) -> None:
        for data in file_sized(lines, self._room(key), self._rotate_bytes):
            if key in self._open and len(data) > self._room(key):
                files.make_durable(self._open[key])
                files.publish(self._open.pop(key))
            if key not in self._open:
                self._open[key] = files.open_file(self.landing, *key)
            files.append(self._open[key], data)

    def _room(self, key: Key) -> int:
        return self._rotate_bytes - (self._open[key].written if key in self._open else 0)

    def _fail(self, key: Key, error: Exception) -> None:
        self._failed_at = time.monotonic()
        self.counts.write_errors += 1
        self.counts.last_write_error = reason_of(error)
        self._refusals.say(0, key[1], f"cannot be written: {reason_of(error)}")
        self._left_open = True
        if key in self._open:
            files.give_up(self._open.pop(key))

    def _count(self, key: Key, lines: int) -> None:
        name = "/".join(key)
        self.counts.landed[name] = self.counts.landed.get(name, 0) + lines
        self.counts.last_landed_at[name] = now_text()

    def _rotate(self, now: float) -> None:
        for key in [key for key, file in self._open.items() if now - file.opened_at >= self._rotate_seconds]:
            try:
                files.publish(self._open.pop(key))
            except OSError as error:
                self._left_open = True
                self._refusals.say(0, key[1], f"a file cannot be closed yet: {reason_of(error)}")

    def _beat(self, now: float) -> None:
        if now >= self._next_heartbeat:
            self._next_heartbeat = now + self._heartbeat_seconds
            self._write_heartbeat()
            self._close_left()

    def _close_left(self) -> None:
        """Files that an error left open get their names once the disk allows it."""
        if self._left_open:
            with suppress(OSError):
                files.close_orphans(self.landing)
                self._left_open = False

    def _write_heartbeat(self, stopped: bool = False) -> None:
        mine = {
            "at": now_text(),
            "started_at": self.counts.started_at,
            "stopped_at": now_text() if stopped else None,
            "landed": dict(self.counts.landed),
            "last_landed_at": dict(self.counts.last_landed_at),
            "refused": self._refusals.counts(),
            "write_errors": self.counts.write_errors,
            "last_write_error": self.counts.last_write_error,
        }
        try:
            with locked(self.heartbeat):
                write_state(self.heartbeat, with_worker(known_workers(self.heartbeat), str(os.getpid()), mine))
        except (OSError, ValueError) as error:
            self._refusals.say(0, "heartbeat", f"cannot be written: {reason_of(error)}")


def file_sized(lines: list[bytes], room: int, file_bytes: int) -> Iterator[bytes]:
    """The lines with their ends, joined to pieces: the first fits in the room that is left, each other in a file."""
    piece: list[bytes] = []
    size = 0
    for line in lines:
        if piece and size + len(line) + 1 > room:
            yield b"\n".join(piece) + b"\n"
            piece, size, room = [], 0, file_bytes
        piece.append(line)
        size += len(line) + 1
    yield b"\n".join(piece) + b"\n"


def release(batch: list[Waiting], failed: set[Key]) -> None:
    """Tell those who wait, in the event loop."""
    for item in batch:
        if item.landed.done():
            continue  # the sender went away meanwhile
        if item.key in failed:
            item.landed.set_exception(NotLanded())
        else:
            item.landed.set_result(None)


def known_workers(heartbeat: Path) -> dict[str, dict[str, object]]:
    """The workers that the heartbeat file knows; none where it is damaged."""
    try:
        workers = read_state(heartbeat).get("workers", {})
    except (ValueError, AttributeError):
        return {}
    return workers if isinstance(workers, dict) else {}


def with_worker(workers: dict[str, dict[str, object]], pid: str, mine: dict[str, object]) -> dict[str, object]:
    """The heartbeat file's content: this worker's entry beside those that were heard of lately."""
    oldest = datetime.fromtimestamp(time.time() - FORGET_SECONDS, UTC).isoformat(timespec="seconds")
    lately = {name: worker for name, worker in workers.items() if str(worker.get("at")) >= oldest}
    return {"at": mine["at"], "workers": {**lately, pid: mine}}


def reason_of(error: Exception) -> str:
    """The error without paths or contents."""
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
