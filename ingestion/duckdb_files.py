"""Opening DuckDB files that others may hold for a moment, whatever their folder is called."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import duckdb

ATTEMPTS = 8
T = TypeVar("T")


def opened(path: Path) -> duckdb.DuckDBPyConnection:
    """Open a file for writing, waiting some seconds for who only looks (`salwa status`).

    Raises:
        duckdb.IOException: another process keeps it open.
    """
    return patiently(lambda: duckdb.connect(str(path)))


def attach(connection: duckdb.DuckDBPyConnection, path: Path, name: str, read_only: bool = False) -> None:
    """Attach a file under a name, as patiently."""
    text = str(path).replace("'", "''")
    patiently(lambda: connection.execute(f"attach '{text}' as {name}{' (read_only)' if read_only else ''}"))


def patiently(open_file: Callable[[], T]) -> T:
    for attempt in range(ATTEMPTS - 1):
        try:
            return open_file()
        except duckdb.IOException:
            time.sleep(0.05 * 2**attempt)
    return open_file()
