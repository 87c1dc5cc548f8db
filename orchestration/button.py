"""What the Refresh button starts: one run of the refresh job at a time, at most one a minute.

Whoever starts a run holds a lock that its process inherits, so a run is going on exactly as long as the lock is held:
a second press, from any worker, joins it, and a run that was killed leaves nothing behind.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from ingestion.errors import SalwaError
from ingestion.settings import Settings, load_settings
from ingestion.state import read_state, write_state

LEAST_BETWEEN = timedelta(seconds=60)
State = Literal["idle", "updating", "updated", "failed"]


def press(settings: Settings, now: datetime | None = None) -> State:
    """Start a refresh, join the one that runs, or leave it if the last began less than a minute ago."""
    now = now or datetime.now(UTC)
    lock = os.open(lock_file(settings), os.O_RDWR | os.O_CREAT, 0o600)
    if not taken(lock):
        os.close(lock)
        return "updating"
    try:
        last = read_state(state_file(settings))
        if last and now - datetime.fromisoformat(last["started_at"]) < LEAST_BETWEEN:
            return last.get("outcome", "failed")
        write_state(state_file(settings), {"started_at": now.isoformat()})
        start(settings, lock)
    finally:
        os.close(lock)  # the run has its own copy, and with it the lock
    return "updating"


def taken(lock: int) -> bool:
    """Take the lock; a reader who looks whether it is held holds it for a moment, a run for longer."""
    for _ in range(20):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.01)
        else:
            return True
    return False


def start(settings: Settings, lock: int) -> None:
    log = settings.data / "logs" / "button.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as out:
        child = subprocess.Popen(
            [sys.executable, "-m", "orchestration.button"],
            env=os.environ | {"SALWA_DATA": str(settings.data.resolve())},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,  # stopping the receiver does not stop a run
            pass_fds=(lock,),
        )
    threading.Thread(target=child.wait, daemon=True).start()  # so that it does not stay a zombie


def state_of(settings: Settings) -> State:
    """What a reader who waits is told."""
    last = read_state(state_file(settings))
    if not last:
        return "idle"
    if is_running(settings):
        return "updating"
    # a run that ended without a word was killed
    return read_state(state_file(settings)).get("outcome", "failed")


def is_running(settings: Settings) -> bool:
    lock = os.open(lock_file(settings), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def lock_file(settings: Settings) -> Path:
    state_file(settings).parent.mkdir(parents=True, exist_ok=True)
    return state_file(settings).with_suffix(".lock")


def state_file(settings: Settings) -> Path:
    return settings.data / "state" / "button.json"


def run(settings: Settings) -> dict[str, Any]:
    """The run itself, in a process of its own: the refresh job, and what became of it."""
    from orchestration.run import refresh

    told = read_state(state_file(settings))
    try:
        refresh(settings)
        told |= {"outcome": "updated"}
    except SalwaError as error:
        told |= {"outcome": "failed", "message": str(error)}
    told["ended_at"] = datetime.now(UTC).isoformat()
    write_state(state_file(settings), told)
    return told


if __name__ == "__main__":
    run(load_settings())
