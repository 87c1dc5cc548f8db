"""dbt-duckdb plugin for dbt run by hand: gives every session the secret of keyed_hash(), never written into SQL or a log."""

from __future__ import annotations

import os

from dbt.adapters.duckdb.plugins import BasePlugin
from duckdb import DuckDBPyConnection

VARIABLE = "SALWA_PHONE_KEY"


class Plugin(BasePlugin):
    """Sets the session variable hash_key from SALWA_PHONE_KEY; without one every keyed_hash() is null."""

    def configure_cursor(self, cursor: DuckDBPyConnection) -> None:
        cursor.execute("set variable hash_key = ?", [os.environ.get(VARIABLE) or None])
