"""Files that the receiver is writing, and how they become landing files.

While it is written a file is landing/<workspace>/<source>/<day>/.receive-<pid>-<ulid>.ndjson.open, which no loader
looks at; closed, it is renamed to receive-<pid>-<ulid>.ndjson and never changes again. Its process holds a lock on
it, so that whoever gets the lock knows that the process is dead and may close the file in its place.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ingestion.landing import sync_folder

OPEN_SUFFIX = ".open"
READ_BYTES = 1 << 20
BASE32 = "0123456789abcdefghjkmnpqrstvwxyz"


@dataclass
class OpenFile:
    """A file of one workspace and source that is being written by this process.

    durable: bytes that are known to be on disk, always whole lines; written: bytes that were written.
    """

    path: Path
    handle: int
    opened_at: float  # time.monotonic()
    written: int = 0
    durable: int = 0


@dataclass(frozen=True)
class Closed:
    """A file of a dead process that was closed. path: its new name, None where nothing whole was in it."""

    path: Path | None
    cut_bytes: int


def ulid() -> str:
    """A name that sorts by time: 48 bits of milliseconds, 80 of chance, 26 characters."""
    number = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    return "".join(BASE32[number >> shift & 31] for shift in range(125, -1, -5))


def open_file(landing: Path, workspace: str, source: str) -> OpenFile:
    """A new file, locked, its name on disk.

    Raises:
        OSError: it cannot be made.
    """
    folder = landing / workspace / source / datetime.now(UTC).date().isoformat()
    folder.mkdir(parents=True, exist_ok=True)
    while True:
        path = folder / f".receive-{os.getpid()}-{ulid()}.ndjson{OPEN_SUFFIX}"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            is_ours = names(path, handle)  # not where an orphan's closer came between the two calls above
            if is_ours:
                for above in (folder, *folder.parents[:4]):
                    sync_folder(above)
        except BaseException:
            path.unlink(missing_ok=True)
            os.close(handle)
            raise
        if is_ours:
            return OpenFile(path, handle, time.monotonic())
        os.close(handle)


def append(file: OpenFile, data: bytes) -> None:
    """Write whole lines; they are durable after `make_durable`.

    Raises:
        OSError: they were not written, or in part; then `give_up` the file.
    """
    rest = memoryview(data)
    while rest:
        count = os.write(file.handle, rest)
        file.written += count
        rest = rest[count:]


def make_durable(file: OpenFile) -> None:
    """Put what was written on disk.

    Raises:
        OSError: it is not known to be there. A second fsync may claim it falsely, so `give_up` the file.
    """
    os.fsync(file.handle)
    file.durable = file.written


def publish(file: OpenFile) -> None:
    """Close the file under its final name.

    Raises:
        OSError: it keeps its old name, for `close_orphans`.
    """
    try:
        give_name(file.path)
    finally:
        os.close(file.handle)


def give_up(file: OpenFile) -> None:
    """After an error: cut back to what is durable and close; what fails here is left to `close_orphans`."""
    try:
        os.ftruncate(file.handle, file.durable)
        os.fsync(file.handle)
        if file.durable:
            give_name(file.path)
        else:
            file.path.unlink()
    except OSError:
        pass
    finally:
        os.close(file.handle)


def give_name(path: Path) -> None:
    path.rename(final_path(path))
    sync_folder(path.parent)


def final_path(path: Path) -> Path:
    return path.with_name(path.name.removeprefix(".").removesuffix(OPEN_SUFFIX))


def close_orphans(landing: Path) -> list[Closed]:
    """Close the open files of processes that are dead: half a line at the end goes, everything whole stays.

    Safe at any time, also while receivers run. What went was never acknowledged.

    Raises:
        OSError: a file cannot be closed.
    """
    closed = []
    for path in sorted(landing.glob(f"*/*/*/.receive-*{OPEN_SUFFIX}")):
        try:
            handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            continue  # its writer, or another closer, was quicker
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if names(path, handle):
                closed.append(close_orphan(path, handle))
        except BlockingIOError:
            continue
        finally:
            os.close(handle)
    return closed


def close_orphan(path: Path, handle: int) -> Closed:
    size = os.fstat(handle).st_size
    whole = end_of_last_line(handle, size)
    if not whole:
        path.unlink()
        return Closed(None, size)
    os.ftruncate(handle, whole)
    os.fsync(handle)
    give_name(path)
    return Closed(final_path(path), size - whole)


def end_of_last_line(handle: int, size: int) -> int:
    """The offset behind the last line end; 0 where there is none."""
    end = size
    while end > 0:
        start = max(0, end - READ_BYTES)
        found = os.pread(handle, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def names(path: Path, handle: int) -> bool:
    """Whether the path is still the name of the open file."""
    try:
        there, ours = path.stat(), os.fstat(handle)
    except FileNotFoundError:
        return False
    return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)
