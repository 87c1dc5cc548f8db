"""What Spark has built, back in the files that everything else reads."""

from __future__ import annotations

from graphlib import TopologicalSorter
from typing import Any

import duckdb

from ingestion import lake
from ingestion.database import STORAGE
from ingestion.settings import Settings
from orchestration.compiling import manifest

PUBLISHED = ("facts", "marts")
Model = dict[str, Any]  # a node of dbt's manifest


def read_back(settings: Settings) -> None:
    """Make the warehouse file anew from the lake's facts and marts: publishing copies it, wherever they were built."""
    fresh = settings.warehouse.with_name(f".{settings.warehouse.name}.fresh")
    fresh.unlink(missing_ok=True)
    models: list[Model] = [node for node in manifest()["nodes"].values() if node["resource_type"] == "model"]
    with duckdb.connect(str(fresh), config=STORAGE) as connection:
        connection.execute("set TimeZone = 'UTC'")
        open_lake(settings, connection)
        for layer in PUBLISHED:
            connection.execute(f"create schema {layer}")
        for model in models:
            if model["schema"] in PUBLISHED:
                connection.execute(f"create table {model['schema']}.{model['alias']} as {rows_of(settings, model)}")
    fresh.replace(settings.warehouse)
    if lake.is_local(settings):
        show_restricted(settings, models)


def show_restricted(settings: Settings, models: list[Model]) -> None:
    """Views in the restricted file of all that lies before facts, in the lake: for `salwa rejects`, `salwa erase` and support."""
    by_id = {model["unique_id"]: model for model in models if model["schema"] not in PUBLISHED}
    order = TopologicalSorter({key: [p for p in model["depends_on"]["nodes"] if p in by_id] for key, model in by_id.items()})
    with duckdb.connect(str(settings.restricted)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set variable hash_key = ?", [settings.key()])
        for schema in sorted({model["schema"] for model in by_id.values()}):
            connection.execute(f"create schema if not exists {schema}")
        for dataset, table, files in lake.raw_tables(settings):
            connection.execute(f"create schema if not exists {dataset}")
            listed = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
            connection.execute(
                f"create or replace view {dataset}.{table} as select * from read_parquet([{listed}], union_by_name = true)"
            )
        for model in (by_id[key] for key in order.static_order()):
            is_view = model["config"]["materialized"] == "view"
            rows = model["compiled_code"] if is_view else f"select * from read_parquet('{files_of(settings, model)}')"
            connection.execute(f"create or replace view {model['schema']}.{model['alias']} as {rows}")


def open_lake(settings: Settings, connection: duckdb.DuckDBPyConnection) -> None:
    """Let DuckDB read the lake through the filesystem that loads it."""
    if not lake.is_local(settings):
        connection.register_filesystem(lake.filesystem(settings)[0])


def files_of(settings: Settings, model: Model) -> str:
    """The files of a model's rows, as a pattern between quotes."""
    return f"{lake.lake_url(settings)}/{model['schema']}/{model['alias']}/**/*.parquet".replace("'", "''")


def rows_of(settings: Settings, model: Model) -> str:
    """A model's rows as Spark wrote them, with exactly the types of its contract."""
    # in partitions by day the day stands in the folder's name alone
    is_partitioned = bool(model["config"].get("partition_by"))
    columns = (f'cast("{name}" as {column["data_type"]}) as "{name}"' for name, column in model["columns"].items())
    return f"select {', '.join(columns)} from read_parquet('{files_of(settings, model)}', hive_partitioning = {is_partitioned})"
