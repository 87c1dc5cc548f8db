"""Serving as DuckDB files, for one machine.

serving/<version>.duckdb are whole copies of the warehouse (facts and marts, nothing personal); serving/current.duckdb is
a symlink that is replaced in one step. A reader keeps the version it opened; the next one sees the new version.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import duckdb

from dashboards.serving.notes import Note
from dashboards.serving.reading import NothingPublished
from ingestion.errors import SalwaError
from ingestion.landing import sync_folder
from ingestion.settings import Settings

CURRENT = "current.duckdb"


def publish(settings: Settings, version: str, published_at: datetime, notes: Sequence[Note] = ()) -> None:
    """Copy the warehouse into a file of this version and switch to it.

    Raises:
        SalwaError: the disk is full; what was served before is served on.
    """
    settings.serving.mkdir(parents=True, exist_ok=True)
    remove_leftovers(settings.serving)
    target = settings.serving / f"{version}.duckdb"
    partial = target.with_name(f".{target.name}.partial")
    try:
        # everything in the one file, nothing in its log
        with duckdb.connect(str(settings.warehouse)) as connection:
            connection.execute("checkpoint")
        shutil.copyfile(settings.warehouse, partial)
        with duckdb.connect(str(partial)) as connection:
            sign(connection, version, published_at)
            write_notes(connection, notes)
        with partial.open("rb") as copied:
            os.fsync(copied.fileno())
        partial.rename(target)
    except (OSError, duckdb.IOException) as error:
        partial.unlink(missing_ok=True)
        reason = error.strerror if isinstance(error, OSError) else str(error).splitlines()[0]
        raise SalwaError(f"the new version could not be written ({reason}); the last one is served on") from None
    before = current_version(settings.serving)
    switch(settings.serving, target.name)
    for path in versions(settings.serving):
        if path not in (target, before):
            path.unlink(missing_ok=True)


def sign(copy: duckdb.DuckDBPyConnection, version: str, published_at: datetime) -> None:
    """Write into the copy which version it is."""
    copy.execute(
        """
        create or replace table marts.serving_version as
        select
            cast($version as varchar) as version,
            (select max(as_of) from facts.dim_workspaces) as as_of,
            cast($published_at as timestamptz) as published_at
        """,
        {"version": version, "published_at": published_at},
    )


def renew_notes(settings: Settings, notes: Sequence[Note]) -> None:
    """Put these notes into the version that is served. Who has it open keeps the file as it was."""
    current = current_version(settings.serving)
    if current is None:
        return
    partial = current.with_name(f".{current.name}.partial")
    shutil.copyfile(current, partial)
    with duckdb.connect(str(partial)) as connection:
        write_notes(connection, notes)
    partial.replace(current)
    sync_folder(settings.serving)


def write_notes(copy: duckdb.DuckDBPyConnection, notes: Sequence[Note]) -> None:
    """Put the notes into the copy; what was written before goes with them into the one file."""
    for note in notes:
        columns = ", ".join(f"{name} {kind}" for name, (kind, _words) in note.columns.items())
        copy.execute(f"create or replace table marts.{note.name} ({columns})")
        places = ", ".join("?" * len(note.columns))
        for row in note.rows:
            copy.execute(f"insert into marts.{note.name} values ({places})", row)
    copy.execute("checkpoint")


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


def current_version(serving: Path) -> Path | None:
    """The file that is served, or None."""
    link = serving / CURRENT
    return serving / link.readlink().name if link.is_symlink() and link.exists() else None


def remove_leftovers(serving: Path) -> None:
    """Remove what a killed publish left: half a copy, a link, or a whole version that nobody was ever shown."""
    for pattern in (".*.partial*", f".{CURRENT}.*"):
        for leftover in serving.glob(pattern):
            with suppress(OSError):
                leftover.unlink()
    current = current_version(serving)
    for path in versions(serving):
        if current is not None and path.name > current.name:
            path.unlink(missing_ok=True)


def rollback(settings: Settings) -> str:
    """Switch to the version before the current one and remove that; returns the name of what is served now.

    Raises:
        SalwaError: there is nothing older.
    """
    remove_leftovers(settings.serving)
    current = current_version(settings.serving)
    if current is None:
        raise nothing_published(settings)
    older = [path for path in versions(settings.serving) if path.name < current.name]
    if not older:
        raise SalwaError(f"there is nothing older than {current.stem} to go back to")
    switch(settings.serving, older[-1].name)
    current.unlink(missing_ok=True)
    return older[-1].stem


def drop_older(serving: Path) -> None:
    """Remove every version but the one that is served."""
    remove_leftovers(serving)
    for path in versions(serving):
        if path != current_version(serving):
            path.unlink(missing_ok=True)


def open_copy(settings: Settings) -> duckdb.DuckDBPyConnection:
    """A read-only connection to what is served now, times shown in UTC.

    Raises:
        NothingPublished: nothing has been published yet.
    """
    current = settings.serving / CURRENT
    # between reading the link and opening the file two publishes may remove the file: then the link tells a newer one
    for attempt in range(5):
        if not current.exists():
            raise nothing_published(settings)
        try:
            connection = duckdb.connect(str(current.resolve()), read_only=True)
        except duckdb.IOException:
            if attempt == 4:
                raise
            continue
        connection.execute("set TimeZone = 'UTC'")
        return connection
    raise AssertionError("unreachable")


def nothing_published(settings: Settings) -> NothingPublished:
    return NothingPublished(f"nothing has been published in {settings.data} yet: run `salwa refresh` first")
