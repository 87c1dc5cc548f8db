"""What a pull remembers between runs: one small JSON file per workspace and source, replaced in one step."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from ingestion.errors import SalwaError
from ingestion.landing import sync_folder

LOOK_AGAIN = 0.05  # seconds


class LockTaken(SalwaError):
    """Another process held a lock for longer than this one would wait."""


def state_file(data: Path, workspace: str, source: str) -> Path:
    return data / "state" / workspace / f"{source}.json"


def read_state(path: Path) -> dict[str, Any]:
    """The remembered state; empty where there is none yet."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def write_state(path: Path, state: dict[str, Any], mode: int = 0o600) -> None:
    """Replace the state: after a kill at any moment the old or the new one is there, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        json.dump(state, out)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(path)
    sync_folder(path.parent)


@contextmanager
def locked(path: Path, patience: float | None = None) -> Iterator[None]:
    """A lock that works across processes, held for the block.

    Args:
        patience: seconds to wait for it; None waits as long as it takes.

    Raises:
        LockTaken: another process still held it when the patience ended.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        if patience is None:
            fcntl.flock(lock, fcntl.LOCK_EX)
        else:
            take_within(lock, patience)
        yield


def take_within(lock: IO[str], patience: float) -> None:
    until = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise LockTaken(f"{lock.name} was held for more than {patience:g} seconds") from None
            time.sleep(LOOK_AGAIN)
        else:
            return
