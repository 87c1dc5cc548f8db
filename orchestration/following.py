"""A refresh follows what lands: webhooks and imports show within minutes, without anyone pressing anything."""

from __future__ import annotations

import fcntl
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import dagster as dg

from ingestion.landing import landed_after
from ingestion.settings import Settings, load_settings

LOOK_SECONDS = 30
AFTER_FAILURE = timedelta(minutes=15)  # a run that failed is not tried again with every webhook
JOBS = ("refresh", "nightly")
PULLED = "pull-"  # how the names of landing files begin that a run asked for itself
TERMINAL_TAG = "salwa/terminal"
UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def following_sensor(assets: list[dg.AssetKey]) -> dg.SensorDefinition:
    """The sensor that starts a refresh after something has landed.

    Args:
        assets: what such a run makes: everything but the pulls, which follow the clock.
    """

    @dg.sensor(
        name="landed_files",
        job_name=JOBS[0],
        minimum_interval_seconds=LOOK_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Starts a refresh when webhooks or imports have landed since the last one began; asks no API.",
    )
    def landed_files(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        settings = load_settings()
        bury_dead_runs(context.instance, settings)
        reason = why_not_now(context.instance, settings, time.time())
        if reason:
            return dg.SkipReason(reason)
        return dg.RunRequest(asset_selection=assets, tags={"salwa/started_by": "landed files"})

    return landed_files


def why_not_now(instance: dg.DagsterInstance, settings: Settings, now: float) -> str | None:
    """Why no run is to be started now; None where one is.

    A run loads all that landed before it began, and what it pulled itself; what lands later takes one more run.

    Args:
        now: seconds since 1970.
    """
    if instance.get_run_records(dg.RunsFilter(statuses=UNFINISHED), limit=1):
        return "a run is queued or under way; what lands meanwhile is looked at after it"
    good = newest_run(instance, [dg.DagsterRunStatus.SUCCESS])
    if not news_since(settings.landing, good):
        return "nothing has landed since the last good run began"
    last = newest_run(instance, None)
    if last is None:
        return None
    has_failed = last.dagster_run.status == dg.DagsterRunStatus.FAILURE
    pause = max(settings.refresh_min_seconds, AFTER_FAILURE.total_seconds() if has_failed else 0)
    wait = (last.start_time or last.create_timestamp.timestamp()) + pause - now
    if wait > 0:
        what = "the last run failed" if has_failed else "the last run began a moment ago"
        return f"files have landed, but {what}; the next run begins in {wait:.0f} s"
    return None


def newest_run(instance: dg.DagsterInstance, statuses: list[dg.DagsterRunStatus] | None) -> dg.RunRecord | None:
    """The newest run of the main jobs, of these statuses or of any."""
    found = [
        record
        for job in JOBS
        for record in instance.get_run_records(dg.RunsFilter(job_name=job, statuses=statuses), limit=1)
    ]
    return max(found, key=lambda record: record.create_timestamp, default=None)


def news_since(landing: Path, good: dg.RunRecord | None) -> bool:
    """Whether a file landed that the last good run cannot have loaded."""
    if good is None:
        return any(True for _ in landed_after(landing, 0))
    began = good.start_time or good.create_timestamp.timestamp()
    ended = good.end_time or began
    return any(landed_at > ended or not path.name.startswith(PULLED) for path, landed_at in landed_after(landing, began))


# --- runs in a terminal ------------------------------------------------------------------------------------------


@contextmanager
def terminal_run(settings: Settings) -> Iterator[dict[str, str]]:
    """Tags for a run in this process. Its lock goes with the process, so that nobody waits for a run that was killed."""
    token = uuid.uuid4().hex
    path = terminal_lock(settings, token)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield {TERMINAL_TAG: token}
        finally:
            path.unlink(missing_ok=True)


def terminal_lock(settings: Settings, token: str) -> Path:
    return settings.data / "dagster" / f"terminal-{token}.lock"


def bury_dead_runs(instance: dg.DagsterInstance, settings: Settings) -> None:
    """Close runs of terminals that were killed: Dagster watches only those it launched itself."""
    for record in instance.get_run_records(dg.RunsFilter(statuses=UNFINISHED)):
        run = record.dagster_run
        token = run.tags.get(TERMINAL_TAG)
        if token is None or is_locked(terminal_lock(settings, token)):
            continue
        instance.report_run_canceled(run, "The process of this run was killed. The next run does what it left undone.")
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        terminal_lock(settings, token).unlink(missing_ok=True)


def is_locked(path: Path) -> bool:
    try:
        with path.open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
