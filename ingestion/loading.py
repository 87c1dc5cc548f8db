"""From landed files to typed raw tables, by dlt.

A source is a folder of SQL (ingestion/<source>/): DuckDB flattens the landed JSON there, and Arrow tables go to dlt,
which is some fifty times faster than dictionaries. Every row carries its landing file and line, and where anything can
have been left behind, a file's rows replace what that file had loaded before: loading again, or after a kill, changes
nothing.

Common to all sources, in the schema raw_<source>:
    landed_files   a row per loaded landing file
    landed_lines   a row per landed line
    rejects        a row per line, or item of a line, that could not be read, with the reason
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from ingestion import lake
from ingestion.database import create_database
from ingestion.erasing.lines import new_files_without_erased
from ingestion.errors import SalwaError
from ingestion.landing import FILE_BYTES, landed_files, sync_folder
from ingestion.settings import Settings
from ingestion.state import read_state, write_state

COMMON_SQL = Path(__file__).parent / "sql"
BATCH_BYTES = 64 * 1024 * 1024
PARSERS = 2  # batches parsed at a time; each takes some 300 MB
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


Disposition = Literal["append", "merge"]


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
        make_documents(connection, lines)
        for step in source.steps:
            connection.execute((source.folder / f"{step}.sql").read_text())
        for table in source.tables:
            yield table, connection.sql((source.folder / f"{table}.sql").read_text()).to_arrow_table()
        for table in ("rejects", "landed_lines"):
            query = (COMMON_SQL / f"{table}.sql").read_text()
            yield table, connection.sql(query).to_arrow_table()


def make_documents(connection: duckdb.DuckDBPyConnection, lines: pa.Table) -> None:
    """The tables of sql/documents.sql, which every source begins with."""
    # one thread costs the least; batches run beside each other
    connection.execute("set TimeZone = 'UTC'; set preserve_insertion_order = false; set threads = 1")
    connection.register("lines", lines)
    documents = (COMMON_SQL / "documents.sql").read_text()
    try:
        # we wrote the lines, so that they are JSON; where one is damaged all are looked at one by one
        connection.execute("create temp macro readable_line(line) as line")
        connection.execute(documents)
    except duckdb.InvalidInputException:
        checked = "case when json_valid(line) then line end"
        connection.execute(f"create or replace temp macro readable_line(line) as {checked}")
        connection.execute(documents)


def line_table(path: Path, landing: Path) -> pa.Table:
    """A landing file's lines with their addresses."""
    lines = split_lines(text_of(path))
    name = path.relative_to(landing).as_posix()
    return pa.table(
        {
            "workspace": pa.repeat(name.split("/", 1)[0], len(lines)),
            "landing_file": pa.repeat(name, len(lines)),
            "landing_line": pa.array(range(1, len(lines) + 1), pa.int64()),
            "line": text_array(lines),
        },
        schema=LINES,
    )


def text_of(path: Path) -> pa.Buffer:
    """A landing file, unpacked into Arrow's own memory, which the next file uses again.

    Raises:
        SalwaError: the file is damaged.
    """
    try:
        packed = path.read_bytes()
        if not path.name.endswith(".gz"):
            return pa.py_buffer(packed)
        with pa.CompressedInputStream(pa.BufferReader(packed), "gzip") as stream:
            told = int.from_bytes(packed[-4:], "little")  # gzip says at its end how much there is
            text = stream.read_buffer(min(told, 2 * FILE_BYTES))
            rest = stream.read()  # where it has several parts, that was of the last
    except OSError as error:
        raise SalwaError(f"{path} is damaged ({error}); restore it from a backup") from None
    return pa.py_buffer(text.to_pybytes() + rest) if rest else text


def split_lines(text: pa.Buffer) -> pa.Array:
    """The lines of a text, without line ends; no Python object for each, and no copy of the whole."""
    ends = pa.array([0, text.size], pa.int64()).buffers()[1]
    whole = pa.Array.from_buffers(pa.large_binary(), 1, [None, ends, text])
    lines = pc.split_pattern(whole, pattern=b"\n").values
    return lines[:-1] if len(lines[-1].as_py()) == 0 else lines


def text_array(lines: pa.Array | list[bytes]) -> pa.Array:
    """The lines as text; null where one is not UTF-8."""
    try:
        return pa.array(lines, pa.large_binary()).cast(pa.string())
    except pa.ArrowInvalid:
        listed = lines.to_pylist() if isinstance(lines, pa.Array) else lines
        return pa.array([text_or_none(line) for line in listed], pa.string())


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


def parsed_batches(
    source: LandedSource, paths: list[Path], landing: Path
) -> Iterator[tuple[list[str], list[tuple[str, pa.Table]]]]:
    """Landing files in batches: (names, their typed rows by table), in order; a few are parsed at the same time."""
    with ThreadPoolExecutor(PARSERS) as pool:
        waiting: deque[tuple[list[str], Future[list[tuple[str, pa.Table]]]]] = deque()
        for names, lines in batches(paths, landing):
            waiting.append((names, pool.submit(lambda lines: list(parse(source, lines)), lines)))
            del lines  # whoever parses them is the last to need them
            if len(waiting) > PARSERS:
                done, rows = waiting.popleft()
                yield done, rows.result()
        while waiting:
            done, rows = waiting.popleft()
            yield done, rows.result()


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
    on_lake = settings.engine == "spark"
    done = lake.loaded_files(settings, source.name) if on_lake else loaded_files(settings, source)
    paths = [
        path
        for path in landed_files(settings.landing, source.name)
        if path.relative_to(settings.landing).as_posix() not in (done or ())
    ]
    if done is not None and not paths:
        return Loaded(source.name, 0, {})
    new_files_without_erased(settings, source.name, paths)

    counts: dict[str, int] = {}
    if on_lake:
        resources = dlt_resources(source, paths, settings.landing, counts, progress, done is not None, "append")
        quiet_dlt(settings)
        lake.run_pipeline(settings, source.name, resources)
        return Loaded(source.name, len(paths), counts)
    with known_rows(settings, source) as is_known:
        disposition: Disposition = "append" if is_known else "merge"
        has_tables = done is not None
        resources = dlt_resources(source, paths, settings.landing, counts, progress, has_tables, disposition)
        run_pipeline(settings, source.name, resources)
    return Loaded(source.name, len(paths), counts)


@contextmanager
def known_rows(settings: Settings, source: LandedSource) -> Iterator[bool]:
    """Whether the raw tables hold what the last load left there and nothing else, so that new files may be appended.

    A load that ends well writes down how many rows each table has. It takes the note away before it begins: after a
    kill, or when anything else has written, there is no note or a wrong one, and the next load replaces file by file.
    """
    note = settings.data / "dlt" / f"{source.name}-rows.json"
    before = row_counts(settings, source)
    is_known = not before or (note.exists() and read_state(note) == before)
    if note.exists():
        note.unlink()
        sync_folder(note.parent)
    yield is_known
    write_state(note, row_counts(settings, source))


def row_counts(settings: Settings, source: LandedSource) -> dict[str, int]:
    """Rows of each raw table that there is."""
    if not settings.restricted.exists():
        return {}
    with duckdb.connect(str(settings.restricted), read_only=True) as connection:
        tables = connection.execute(
            "select table_name from information_schema.tables "
            "where table_schema = ? and not starts_with(table_name, '_dlt')",
            [f"raw_{source.name}"],
        ).fetchall()
        return {name: scalar(connection, f'select count(*) from raw_{source.name}."{name}"') for (name,) in tables}


def scalar(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    (value,) = connection.execute(query).fetchall()[0]
    return int(value)


def dlt_resources(
    source: LandedSource,
    paths: list[Path],
    landing: Path,
    counts: dict[str, int],
    progress: Callable[[int], None],
    has_tables: bool,
    disposition: Disposition,
) -> list[Any]:
    """The dlt resources of one load: the typed rows, and the register of files that completes with them.

    Args:
        has_tables: whether an earlier load made the tables; the first makes all, also those that nothing came for.
        disposition: "merge" replaces what there may be of these files; "append" costs half, and needs to know that
            there is nothing.
    """
    import dlt

    # what a new version of the SQL adds may come; what changes its type must be rebuilt (refresh --full)
    contract = {"tables": "evolve", "columns": "evolve", "data_type": "freeze"}

    @dlt.resource(
        name=source.name, write_disposition=disposition, merge_key="landing_file", schema_contract=contract
    )
    def rows() -> Iterator[Any]:
        if not has_tables:
            for table, empty in parse(source, LINES.empty_table()):
                yield dlt.mark.with_table_name(empty, table)
        for names, tables in parsed_batches(source, paths, landing):
            for table, found in tables:
                counts[table] = counts.get(table, 0) + found.num_rows
                if found.num_rows:
                    yield dlt.mark.with_table_name(found, table)
            progress(len(names))

    @dlt.resource(
        name="landed_files",
        write_disposition=disposition,
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
    from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials

    create_database(settings.restricted)
    # one thread costs the least; tables are loaded beside each other
    credentials = DuckDbCredentials(str(settings.restricted), global_config={"threads": 1})
    pipeline = dlt.pipeline(
        pipeline_name=f"salwa_{source}",
        pipelines_dir=str(settings.data / "dlt"),
        destination=dlt.destinations.duckdb(credentials),
        dataset_name=f"raw_{source}",
    )
    if pipeline.has_pending_data:
        pipeline.drop_pending_packages()
    pipeline.run(resources)


def quiet_dlt(settings: Settings) -> None:
    """No telemetry, no files outside the data folder, no log of rows."""
    os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")
    os.environ.setdefault("RUNTIME__LOG_LEVEL", "ERROR")
    # files that live for a second need no compression
    os.environ.setdefault("DATA_WRITER__COMPRESSION", "none")
    # what was loaded is in the warehouse: no copy of it stays in files beside it
    os.environ.setdefault("LOAD__TRUNCATE_STAGING_DATASET", "true")
    os.environ.setdefault("LOAD__DELETE_COMPLETED_JOBS", "true")
    os.environ.setdefault("DLT_DATA_DIR", str((settings.data / "dlt").resolve()))
