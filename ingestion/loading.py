"""From landed files to typed raw tables, by dlt.

A source is a folder of SQL (ingestion/<source>/): DuckDB flattens the landed JSON there, and Arrow tables go to dlt,
which is some fifty times faster than dictionaries. Every row carries its landing file and line, and a file's rows
replace what that file had loaded before, so that loading again, or after a kill, changes nothing.

Common to all sources, in the schema raw_<source>:
    landed_files   a row per loaded landing file
    landed_lines   a row per landed line
    rejects        a row per line, or item of a line, that could not be read, with the reason
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from ingestion.erasing.lines import new_files_without_erased
from ingestion.landing import landed_files, read_lines
from ingestion.settings import Settings

COMMON_SQL = Path(__file__).parent / "sql"
BATCH_BYTES = 64 * 1024 * 1024
LINES = pa.schema(
    [
        pa.field("workspace", pa.string(), nullable=False),
        pa.field("landing_file", pa.string(), nullable=False),
        pa.field("landing_line", pa.int64(), nullable=False),
        pa.field("line", pa.string())  # null where it is not UTF-8: damaged, for we write nothing else,
    ]
)


@dataclass(frozen=True)
class LandedSource:
    """How a source's landed lines become tables.

    steps: SQL files that make temporary tables, in order; tables: SQL files whose result is a raw table of that name.
    Each reads the temporary table `documents` (see sql/documents.sql) or what a step made. The table `rejects` holds
    the source's own findings; those every source has are added to it.
    """

    name: str
    steps: tuple[str, ...]
    tables: tuple[str, ...]

    @property
    def folder(self) -> Path:
        return Path(__file__).parent / self.name


@cache
def sources() -> tuple[LandedSource, ...]:
    """All sources, in the order they load."""
    from ingestion.chatwoot import CHATWOOT
    from ingestion.inbox import INBOX
    from ingestion.salla import SALLA
    from ingestion.whatsapp import WHATSAPP

    return WHATSAPP, CHATWOOT, SALLA, INBOX


def parse(source: LandedSource, lines: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """The typed rows of landed lines, table by table; every table comes, if need be empty.

    Args:
        lines: of schema LINES.
    """
    with duckdb.connect(":memory:") as connection:
        connection.execute("set TimeZone = 'UTC'; set preserve_insertion_order = false")
        connection.register("lines", lines)
        connection.execute((COMMON_SQL / "documents.sql").read_text())
        for step in source.steps:
            connection.execute((source.folder / f"{step}.sql").read_text())
        for table in source.tables:
            yield table, connection.sql((source.folder / f"{table}.sql").read_text()).to_arrow_table()
        for table in ("rejects", "landed_lines"):
            query = (COMMON_SQL / f"{table}.sql").read_text()
            yield table, connection.sql(query).to_arrow_table()


def line_table(path: Path, landing: Path) -> pa.Table:
    """A landing file's lines with their addresses."""
    lines = read_lines(path)
    name = path.relative_to(landing).as_posix()
    return pa.table(
        {
            "workspace": pa.array([name.split("/", 1)[0]] * len(lines), pa.string()),
            "landing_file": pa.array([name] * len(lines), pa.string()),
            "landing_line": pa.array(range(1, len(lines) + 1), pa.int64()),
            "line": text_array(lines),
        },
        schema=LINES,
    )


def text_array(lines: list[bytes]) -> pa.Array:
    """The lines as text; null where one is not UTF-8."""
    try:
        return pa.array(lines, pa.binary()).cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array([text_or_none(line) for line in lines], pa.string())


def text_or_none(line: bytes) -> str | None:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return None


def batches(paths: list[Path], landing: Path) -> Iterator[tuple[list[str], pa.Table]]:
    """Landing files in batches of bounded size: (names, their lines)."""
    names: list[str] = []
    tables: list[pa.Table] = []
    for path in paths:
        table = line_table(path, landing)
        if tables and sum(t.nbytes for t in tables) + table.nbytes > BATCH_BYTES:
            yield names, pa.concat_tables(tables)
            names, tables = [], []
        names.append(path.relative_to(landing).as_posix())
        tables.append(table)
    if tables:
        yield names, pa.concat_tables(tables)


def loaded_files(settings: Settings, source: LandedSource) -> set[str] | None:
    """Names of the landing files whose load was completed; None where the raw tables do not exist yet."""
    if not settings.restricted.exists():
        return None
    dataset = f"raw_{source.name}"
    with duckdb.connect(str(settings.restricted), read_only=True) as connection:
        known = connection.execute(
            "select count(*) from information_schema.tables where table_schema = ? and table_name = 'landed_files'",
            [dataset],
        ).fetchone()
        if not known or not known[0]:
            return None
        rows = connection.execute(
            f"select landing_file from {dataset}.landed_files as f "
            f"join {dataset}._dlt_loads as l on l.load_id = f._dlt_load_id where l.status = 0"
        ).fetchall()
    return {name for (name,) in rows}


@dataclass(frozen=True)
class Loaded:
    """What a load of a source did."""

    source: str
    files: int
    rows: dict[str, int]


def load(settings: Settings, source: LandedSource, progress: Callable[[int], None] = lambda files: None) -> Loaded:
    """Load what has landed since the last load of this source.

    Args:
        progress: told the number of files that were read, batch by batch.
    """
    done = loaded_files(settings, source)
    paths = [
        path
        for path in landed_files(settings.landing, source.name)
        if path.relative_to(settings.landing).as_posix() not in (done or ())
    ]
    if done is not None and not paths:
        return Loaded(source.name, 0, {})
    new_files_without_erased(settings, source.name, paths)

    counts: dict[str, int] = {}
    resources = dlt_resources(source, paths, settings.landing, counts, progress, has_tables=done is not None)
    run_pipeline(settings, source.name, resources)
    return Loaded(source.name, len(paths), counts)


def dlt_resources(
    source: LandedSource,
    paths: list[Path],
    landing: Path,
    counts: dict[str, int],
    progress: Callable[[int], None],
    has_tables: bool,
) -> list[Any]:
    """The dlt resources of one load: the typed rows, and the register of files that completes with them.

    Args:
        has_tables: whether an earlier load made the tables; the first makes all, also those that nothing came for.
    """
    import dlt

    # what a new version of the SQL adds may come; what changes its type must be rebuilt (refresh --full)
    contract = {"tables": "evolve", "columns": "evolve", "data_type": "freeze"}

    @dlt.resource(
        name=source.name, write_disposition="merge", merge_key="landing_file", schema_contract=contract
    )
    def rows() -> Iterator[Any]:
        if not has_tables:
            for table, empty in parse(source, LINES.empty_table()):
                yield dlt.mark.with_table_name(empty, table)
        for names, lines in batches(paths, landing):
            for table, found in parse(source, lines):
                counts[table] = counts.get(table, 0) + found.num_rows
                if found.num_rows:
                    yield dlt.mark.with_table_name(found, table)
            progress(len(names))

    @dlt.resource(
        name="landed_files",
        write_disposition="merge",
        merge_key="landing_file",
        columns={
            "landing_file": {"data_type": "text", "nullable": False},
            "workspace": {"data_type": "text", "nullable": False},
            "file_bytes": {"data_type": "bigint", "nullable": False},
        },
    )
    def files() -> Iterator[dict[str, Any]]:
        yield dlt.mark.materialize_table_schema()
        for path in paths:
            name = path.relative_to(landing).as_posix()
            yield {"landing_file": name, "workspace": name.split("/", 1)[0], "file_bytes": path.stat().st_size}

    return [rows, files]


def run_pipeline(settings: Settings, source: str, resources: list[Any]) -> None:
    """Run one dlt pipeline into raw_<source>; what an earlier, killed run left half done is begun anew."""
    quiet_dlt(settings)
    import dlt

    pipeline = dlt.pipeline(
        pipeline_name=f"salwa_{source}",
        pipelines_dir=str(settings.data / "dlt"),
        destination=dlt.destinations.duckdb(str(settings.restricted)),
        dataset_name=f"raw_{source}",
    )
    if pipeline.has_pending_data:
        pipeline.drop_pending_packages()
    pipeline.run(resources)


def quiet_dlt(settings: Settings) -> None:
    """No telemetry, no files outside the data folder, no log of rows."""
    os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")
    os.environ.setdefault("RUNTIME__LOG_LEVEL", "ERROR")
    # what was loaded is in the warehouse: no copy of it stays in files beside it
    os.environ.setdefault("LOAD__TRUNCATE_STAGING_DATASET", "true")
    os.environ.setdefault("LOAD__DELETE_COMPLETED_JOBS", "true")
    os.environ.setdefault("DLT_DATA_DIR", str((settings.data / "dlt").resolve()))
