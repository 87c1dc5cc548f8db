"""What Spark has built, back in the files that everything else reads."""

from __future__ import annotations

from typing import Any

import duckdb

from ingestion import lake
from ingestion.database import STORAGE
from ingestion.settings import Settings
from orchestration.compiling import manifest

PUBLISHED = ("facts", "marts")


def read_back(settings: Settings) -> None:
    """Make the warehouse file anew from the lake's facts and marts: publishing copies it, wherever they were built."""
    fresh = settings.warehouse.with_name(f".{settings.warehouse.name}.fresh")
    fresh.unlink(missing_ok=True)
    models = [node for node in manifest()["nodes"].values() if node["resource_type"] == "model"]
    with duckdb.connect(str(fresh), config=STORAGE) as connection:
        connection.execute("set TimeZone = 'UTC'")
        open_lake(settings, connection)
        for layer in PUBLISHED:
            connection.execute(f"create schema {layer}")
        for model in models:
            if model["schema"] in PUBLISHED:
                connection.execute(f"create table {model['schema']}.{model['alias']} as {rows_of(settings, model)}")
    fresh.replace(settings.warehouse)


def open_lake(settings: Settings, connection: duckdb.DuckDBPyConnection) -> None:
    """Let DuckDB read the lake through the filesystem that loads it."""
    if not lake.is_local(settings):
        connection.register_filesystem(lake.filesystem(settings)[0])


def rows_of(settings: Settings, model: dict[str, Any]) -> str:
    """A model's rows as Spark wrote them, with exactly the types of its contract."""
    files = f"{lake.lake_url(settings)}/{model['schema']}/{model['alias']}/**/*.parquet".replace("'", "''")
    columns = (f'cast("{name}" as {column["data_type"]}) as "{name}"' for name, column in model["columns"].items())
    return f"select {', '.join(columns)} from read_parquet('{files}', hive_partitioning = false)"
