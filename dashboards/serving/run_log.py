"""The last runs as a table that readers see: marts.refresh_runs, also when a run failed and published nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

COLUMNS = {
    "ended_at": ("timestamptz", "When the run ended."),
    "job": ("text", "The job: refresh, nightly, or rollback."),
    "outcome": ("text", "published, failed, or rolled back."),
    "message": ("text", "Why nothing was published; null where all went well."),
}


def run_rows(runs: Sequence[dict[str, Any]]) -> list[tuple[datetime, str, str, str | None]]:
    """Lines of the run log as rows of the table."""
    return [
        (datetime.fromisoformat(run["ended_at"]), run.get("job", ""), run["outcome"], run.get("message") or None)
        for run in runs
    ]
