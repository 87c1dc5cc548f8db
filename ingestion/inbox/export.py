"""`salwa import inbox`: an export's tables, a row a line, into the landing zone."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from ingestion.errors import SalwaError
from ingestion.importing import Imported, added, content_hash, decompressed, readable
from ingestion.landing import Delivery, LandingWriter, already_landed, safe_name

REQUIRED = {
    "messages": ("message_id", "conversation_id", "sent_at", "author_type"),
    "conversations": ("conversation_id",),
    "status_events": ("conversation_id", "status", "occurred_at"),
    "tag_events": ("conversation_id", "tag", "action", "occurred_at"),
    "read_events": ("conversation_id", "read_at"),
}
FORMATS = (".parquet", ".csv", ".ndjson", ".jsonl")


def import_export(
    landing: Path,
    workspace: str,
    directory: Path,
    name: str | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    clean: Callable[[Delivery], Delivery] | None = None,
) -> Imported:
    """Land an inbox export.

    Args:
        clean: takes out of a row what may not land.
        name: keeps the ids of different inboxes apart; the directory's name when not given.
        progress: told (files done, files in all) after each file.

    Raises:
        SalwaError: nothing was landed, and why.
    """
    tables = export_files(directory)
    account = name or directory.resolve().name
    files = [(table, path) for table, paths in tables.items() for path in paths]
    totals, writers = Imported(0, 0, 0, 0, 0), []
    imported_at = datetime.now(UTC).isoformat()
    try:
        for done, (table, path) in enumerate(files, 1):
            landed_name = f"{safe_name(account)}-{table}-{content_hash(path)[:20]}"
            if already_landed(landing, workspace, "inbox", landed_name):
                totals = replace(totals, known_files=totals.known_files + 1)
            else:
                writer = LandingWriter(landing, workspace, "inbox", landed_name, clean=clean)
                writers.append(writer)
                for row in rows(table, path):
                    writer.append(replace(row, kind=table, account=account, received_at=imported_at))
                    totals = replace(totals, unreadable=totals.unreadable + (row.reject is not None))
                writer.finish()
                totals = added(totals, Imported(1, writer.lines, 0, 0, 0))
            progress(done, len(files))
        for writer in writers:
            writer.publish()
    except BaseException as error:
        for writer in writers:
            writer.discard()
        raise readable(error) from None
    return totals


def export_files(directory: Path) -> dict[str, list[Path]]:
    """The files of each table.

    Raises:
        SalwaError: there is no directory, or no messages in it.
    """
    if not directory.is_dir():
        raise SalwaError(f"{directory} is not a directory; an export is one, with messages.parquet, .csv or .ndjson in it")
    found: dict[str, list[Path]] = {}
    for table in REQUIRED:
        folder = directory / table
        inside = sorted(folder.rglob("*")) if folder.is_dir() else sorted(directory.glob(f"{table}.*"))
        paths = [path for path in inside if path.is_file() and file_format(path)]
        if paths:
            found[table] = paths
    if "messages" not in found:
        raise SalwaError(f"{directory} holds no messages: looked for messages{', messages'.join(FORMATS)} or a folder messages/")
    return found


def file_format(path: Path) -> str | None:
    name = path.name.removesuffix(".gz").removesuffix(".zst")
    return next((suffix for suffix in FORMATS if name.endswith(suffix)), None)


def rows(table: str, path: Path) -> Iterator[Delivery]:
    """A table file's rows, each as JSON text.

    Raises:
        SalwaError: the file cannot be read, or lacks a required column.
    """
    kind = file_format(path)
    if kind == ".parquet":
        return parquet_rows(table, path)
    if kind == ".csv":
        return csv_rows(table, path)
    return ndjson_rows(table, path)


def require(table: str, path: Path, columns: set[str]) -> None:
    missing = [column for column in REQUIRED[table] if column not in columns]
    if missing:
        raise SalwaError(f"{path} lacks the column {', '.join(missing)} (it has {', '.join(sorted(columns)) or 'none'})")


def parquet_rows(table: str, path: Path) -> Iterator[Delivery]:
    with duckdb.connect(":memory:") as connection:
        connection.execute("set TimeZone = 'UTC'")
        try:
            relation = connection.read_parquet(str(path))
        except duckdb.Error as error:
            raise SalwaError(f"{path} cannot be read: {str(error).splitlines()[0]}") from None
        require(table, path, set(relation.columns))
        cursor = connection.execute("select to_json(t)::varchar from read_parquet(?) as t", [str(path)])
        while chunk := cursor.fetchmany(50_000):
            for (body,) in chunk:
                yield Delivery(body=body.encode("utf-8"))


def csv_rows(table: str, path: Path) -> Iterator[Delivery]:
    with decompressed(path) as stream:
        reader = csv.reader(io.TextIOWrapper(stream, "utf-8-sig", errors="surrogateescape", newline=""))
        header = [column.strip() for column in next(reader, [])]
        require(table, path, set(header))
        while True:
            try:
                values = next(reader, None)
            except csv.Error as error:
                yield Delivery(body=b"", reject=f"row {reader.line_num} is no CSV: {error}")
                continue
            if values is None:
                return
            if values:
                yield csv_row(header, values)


def csv_row(header: list[str], values: list[str]) -> Delivery:
    if len(values) != len(header):
        text = ",".join(values).encode("utf-8", "surrogateescape")
        return Delivery(body=text, reject=f"{len(values)} fields under {len(header)} columns")
    row = {column: value for column, value in zip(header, values, strict=True) if value != ""}
    text = json.dumps(row, ensure_ascii=False)
    return Delivery(body=text.encode("utf-8", "surrogateescape"))


def ndjson_rows(table: str, path: Path) -> Iterator[Delivery]:
    columns: set[str] = set()
    with decompressed(path) as stream:
        for line in stream:
            if line.strip():
                columns |= columns_of(line)
                yield Delivery(body=line.strip())
    require(table, path, columns)


def columns_of(line: bytes) -> set[str]:
    try:
        row = json.loads(line)
    except ValueError:
        return set()
    return set(row) if isinstance(row, dict) else set()
