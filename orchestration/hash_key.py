"""dbt-duckdb plugin: gives every session the secret of keyed_hash(), never written into SQL, a log or a file."""

from __future__ import annotations

import os

from dbt.adapters.duckdb.plugins import BasePlugin
from duckdb import DuckDBPyConnection

VARIABLE = "SALWA_PHONE_KEY"


class Plugin(BasePlugin):
    """Sets the session variable hash_key from SALWA_PHONE_KEY."""

    def configure_cursor(self, cursor: DuckDBPyConnection) -> None:
        set_hash_key(cursor)


def set_hash_key(connection: DuckDBPyConnection) -> None:
    """Set the key on a connection; without one every keyed_hash() is null and the not-null tests fail."""
    connection.execute("set variable hash_key = ?", [os.environ.get(VARIABLE) or None])
