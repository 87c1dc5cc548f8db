"""The serving copy: what readers see, switched only after every test has passed.

serving/<version>.duckdb are whole copies of the warehouse (facts and marts, nothing personal); serving/current.duckdb is
a symlink that is replaced in one step. A reader keeps the version it opened; the next one sees the new version.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from ingestion.errors import SalwaError
from ingestion.landing import sync_folder
from ingestion.settings import Settings

KEPT_VERSIONS = 2
CURRENT = "current.duckdb"
SERVED_SCHEMAS = ("facts", "marts")


def publish(settings: Settings) -> str:
    """Copy the audited warehouse into a new version and switch to it; returns the version's name.

    Raises:
        SalwaError: the disk is full; what was served before is served on.
    """
    settings.serving.mkdir(parents=True, exist_ok=True)
    version = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    target = settings.serving / f"{version}.duckdb"
    partial = target.with_name(f".{target.name}.partial")
    try:
        # everything in the one file, nothing in its log
        with duckdb.connect(str(settings.warehouse)) as connection:
            connection.execute("checkpoint")
        shutil.copyfile(settings.warehouse, partial)
        with partial.open("rb") as copied:
            os.fsync(copied.fileno())
        partial.rename(target)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise SalwaError(
            f"the new version could not be written ({error.strerror}); the last one is served on"
        ) from None
    switch(settings.serving, target.name)
    remove_old_versions(settings.serving)
    return version


def switch(serving: Path, name: str) -> None:
    """Point current.duckdb at a version, in one step."""
    link = serving / f".{CURRENT}.{os.getpid()}"
    link.unlink(missing_ok=True)
    link.symlink_to(name)
    link.replace(serving / CURRENT)
    sync_folder(serving)


def versions(serving: Path) -> list[Path]:
    """Published versions, oldest first."""
    return sorted(path for path in serving.glob("*.duckdb") if not path.is_symlink())


def remove_old_versions(serving: Path) -> None:
    current = (serving / CURRENT).resolve()
    for path in versions(serving)[:-KEPT_VERSIONS]:
        if path != current:
            path.unlink(missing_ok=True)
    for leftover in serving.glob(".*.partial"):
        with suppress(OSError):
            leftover.unlink()


def open_serving(settings: Settings) -> duckdb.DuckDBPyConnection:
    """A read-only connection to what is served now, times shown in UTC.

    Raises:
        SalwaError: nothing has been published yet.
    """
    current = settings.serving / CURRENT
    if not current.exists():
        raise SalwaError(f"nothing has been published in {settings.data} yet: run `salwa refresh` first")
    connection = duckdb.connect(str(current.resolve()), read_only=True)
    connection.execute("set TimeZone = 'UTC'")
    return connection
