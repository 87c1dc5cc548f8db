"""Small tables about the publishing itself, which no model makes: they stand beside the marts in what is served."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Columns = dict[str, tuple[str, str]]  # name: type in both engines, description


@dataclass(frozen=True)
class Note:
    """A table of schema marts with its rows."""

    name: str
    description: str
    columns: Columns
    rows: Sequence[tuple[Any, ...]]


RUN_COLUMNS: Columns = {
    "ended_at": ("timestamptz", "When the run ended."),
    "job": ("text", "The job: refresh, nightly, or rollback."),
    "outcome": ("text", "published, failed, or rolled back."),
    "message": ("text", "Why nothing was published; null where all went well."),
}


def refresh_runs(runs: Sequence[dict[str, Any]]) -> Note:
    """The last lines of the run log: what came of each run, also of those that failed and published nothing."""
    rows = [
        (datetime.fromisoformat(run["ended_at"]), run.get("job", ""), run["outcome"], run.get("message") or None)
        for run in runs
    ]
    return Note("refresh_runs", "What came of the last runs, failed ones too.", RUN_COLUMNS, rows)
