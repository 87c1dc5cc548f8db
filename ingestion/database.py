"""The database file of raw tables and everything before facts."""

from __future__ import annotations

from pathlib import Path

import duckdb

# the newest that our DuckDB writes; it takes a fifth less to write than the oldest, which is the default, and is smaller
STORAGE = {"storage_compatibility_version": "v1.5.0"}


def create_database(path: Path) -> None:
    """An empty database where there is none."""
    if not path.exists():
        duckdb.connect(str(path), config=STORAGE).close()
