"""The serving copy: what readers see, switched only after every test has passed.

It is a PostgreSQL database where SALWA_SERVING_URL is set (postgres.py), else a DuckDB file (duckdb_copy.py). Both keep the
version before, both say which one they are in marts.serving_version, and both are read through reading.query.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

import duckdb

from dashboards.serving import duckdb_copy
from dashboards.serving.duckdb_copy import CURRENT
from dashboards.serving.notes import Note, refresh_runs
from dashboards.serving.reading import Connection, NothingPublished, Rows, query, serving_version
from dashboards.serving.restatements import next_log
from ingestion.settings import Settings

__all__ = [
    "CURRENT",
    "Connection",
    "NothingPublished",
    "Rows",
    "drop_older",
    "open_serving",
    "publish",
    "query",
    "record_runs",
    "rollback",
    "serving_version",
]


def publish(settings: Settings, manifest: Mapping[str, Any] | None = None, runs: Sequence[dict[str, Any]] = ()) -> str:
    """Make the audited warehouse what readers see; returns the new version's name.

    Args:
        manifest: dbt's, which tells PostgreSQL the keys and the descriptions; a DuckDB copy needs none.
        runs: lines of the run log, for marts.refresh_runs.

    Raises:
        SalwaError: it could not be written or switched to; what was served before is served on.
    """
    published_at = datetime.now(UTC)
    version = published_at.strftime("%Y%m%dT%H%M%S%fZ")
    url = settings.serving_database()
    notes = [refresh_runs(runs), restatements(settings)]
    if url is None:
        duckdb_copy.publish(settings, version, published_at, notes)
    else:
        # loaded here because most commands need neither driver
        from dashboards.serving import postgres

        if manifest is None:
            raise ValueError("PostgreSQL needs dbt's manifest: the keys are in it")
        postgres.publish(url, settings.serving_role, settings.warehouse, manifest, version, published_at, notes)
    return version


def restatements(settings: Settings) -> Note:
    """What this version changes of days that were over, after what earlier ones changed."""
    try:
        served = open_serving(settings)
    except NothingPublished:
        served = None
    with served or nullcontext(), duckdb.connect(str(settings.warehouse), read_only=True) as built:
        built.execute("set TimeZone = 'UTC'")
        return next_log(served, built)


def record_runs(settings: Settings, runs: Sequence[dict[str, Any]]) -> None:
    """Show readers what came of the last runs, without publishing anything else."""
    url = settings.serving_database()
    if url is None:
        duckdb_copy.renew_notes(settings, [refresh_runs(runs)])
    else:
        from dashboards.serving import postgres

        postgres.renew_notes(url, [refresh_runs(runs)])


def rollback(settings: Settings) -> str:
    """Go back to the version before, whose name is returned. The one that was served until now is removed.

    Raises:
        SalwaError: there is nothing older, or readers did not let go of the current version.
    """
    url = settings.serving_database()
    if url is None:
        return duckdb_copy.rollback(settings)
    from dashboards.serving import postgres

    return postgres.rollback(url, settings.serving_role)


def drop_older(settings: Settings) -> None:
    """Remove every version but the one that readers see: none of them can be gone back to.

    Raises:
        SalwaError: PostgreSQL cannot be reached or refuses.
    """
    url = settings.serving_database()
    if url is None:
        duckdb_copy.drop_older(settings.serving)
        return
    from dashboards.serving import postgres

    postgres.drop_older(url)


def open_serving(settings: Settings) -> Connection:
    """A connection that can only read what is served now, times in UTC. Ask it through query().

    Raises:
        NothingPublished: nothing has been published yet.
        SalwaError: PostgreSQL cannot be reached.
    """
    url = settings.serving_database()
    if url is None:
        return duckdb_copy.open_copy(settings)
    from dashboards.serving import postgres

    return postgres.open_copy(url)
