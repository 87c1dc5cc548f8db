"""Raw tables as Parquet in a lake, for Spark: a folder or an object store's URL (SALWA_LAKE).

    <lake>/raw_<source>/<table>/load_id=<load>/….parquet     rows of one load
    <lake>/raw_<source>/_dlt_loads/…                         loads that were completed
    <lake>/settings/<table>/<table>.parquet                  written anew before each build

A table consists of its partitions of completed loads. What a killed load left is no part of any table and is removed
before the next, so that loading again replaces and never doubles.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from ingestion.settings import Settings

LANDED_FILES = pa.schema(
    [pa.field("landing_file", pa.string()), pa.field("workspace", pa.string()), pa.field("file_bytes", pa.int64())]
)


def lake_url(settings: Settings) -> str:
    """Where the lake is, without a slash at the end; a folder as an absolute path."""
    told = settings.lake or str(settings.data / "lake")
    return told.rstrip("/") if "://" in told else str(Path(told).resolve())


def is_local(settings: Settings) -> bool:
    return "://" not in lake_url(settings)


def filesystem(settings: Settings) -> tuple[Any, str]:
    """fsspec's filesystem of the lake, and the lake's path in it."""
    import fsspec

    return fsspec.core.url_to_fs(lake_url(settings))


def source_loads(settings: Settings, source: str) -> set[str]:
    """The loads of a source that were completed."""
    system, root = filesystem(settings)
    found = system.glob(f"{root}/raw_{source}/_dlt_loads/*")
    # dlt names such a file <schema>__<load>.jsonl
    return {Path(path).name.removesuffix(".jsonl").split("__")[-1] for path in found}


def table_loads(settings: Settings, source: str) -> dict[str, set[str]]:
    """The loads that brought rows of each table, completed or not."""
    system, root = filesystem(settings)
    loads: dict[str, set[str]] = {}
    for path in system.glob(f"{root}/raw_{source}/*/load_id=*"):
        table, _, load = str(path).removesuffix("/").rpartition("/load_id=")
        loads.setdefault(table.rpartition("/")[2], set()).add(load)
    return loads


def remove_incomplete(settings: Settings, source: str) -> None:
    """Remove what loads that did not end left behind."""
    system, root = filesystem(settings)
    complete = source_loads(settings, source)
    for table, loads in table_loads(settings, source).items():
        for load in loads - complete:
            system.rm(f"{root}/raw_{source}/{table}/load_id={load}", recursive=True)


def loaded_files(settings: Settings, source: str) -> set[str] | None:
    """Names of the landing files whose load was completed; None where nothing was loaded yet."""
    complete = source_loads(settings, source)
    if not complete:
        return None
    system, root = filesystem(settings)
    names: set[str] = set()
    for path in system.glob(f"{root}/raw_{source}/landed_files/load_id=*/*.parquet"):
        if str(path).split("/load_id=")[1].split("/")[0] in complete:
            with system.open(path) as file:
                names.update(pq.ParquetFile(file).read(["landing_file"])["landing_file"].to_pylist())
    return names


def run_pipeline(settings: Settings, source: str, resources: list[Any]) -> None:
    """Write the rows of one load; they count when all are there."""
    import dlt

    remove_incomplete(settings, source)
    pipeline = dlt.pipeline(
        pipeline_name=f"salwa_lake_{source}",
        pipelines_dir=str(settings.data / "dlt"),
        destination=dlt.destinations.filesystem(
            bucket_url=lake_url(settings), layout="{table_name}/load_id={load_id}/{file_id}.{ext}"
        ),
        dataset_name=f"raw_{source}",
    )
    if pipeline.has_pending_data:
        pipeline.drop_pending_packages()
    pipeline.run(resources, loader_file_format="parquet")


def raw_tables(settings: Settings) -> Iterator[tuple[str, str, list[str]]]:
    """Each raw table's schema, name and files."""
    from ingestion.loading import sources

    system, root = filesystem(settings)
    for source in sources():
        complete = source_loads(settings, source.name)
        for table, loads in table_loads(settings, source.name).items():
            folders = [f"{root}/raw_{source.name}/{table}/load_id={load}" for load in sorted(loads & complete)]
            if files := [path for folder in folders for path in system.glob(f"{folder}/*.parquet")]:
                yield f"raw_{source.name}", table, files


def write_settings_tables(settings: Settings) -> None:
    """Copy the settings' tables, which every build reads, from the restricted file into the lake."""
    system, root = filesystem(settings)
    with duckdb.connect(str(settings.restricted), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for table in settings_tables():
            rows = connection.sql(f"select * from settings.{table}").to_arrow_table()
            system.makedirs(f"{root}/settings/{table}", exist_ok=True)
            with system.open(f"{root}/settings/{table}/{table}.parquet", "wb") as file:
                pq.write_table(rows, file)


def settings_tables() -> list[str]:
    from ingestion.workspace_tables import TABLES

    return list(TABLES)


def discard(settings: Settings) -> None:
    """Throw the lake's tables away; landing makes them again."""
    from ingestion.loading import sources

    system, root = filesystem(settings)
    for folder in ("settings", *LAYERS, *(f"raw_{source.name}" for source in sources())):
        if system.exists(f"{root}/{folder}"):
            system.rm(f"{root}/{folder}", recursive=True)


LAYERS = ("staging", "intermediate", "facts", "marts")


def layer_places(settings: Settings) -> dict[str, str]:
    """Where the schemas of what is built are: their tables are Spark's own."""
    return {layer: f"{lake_url(settings)}/{layer}" for layer in LAYERS}


def catalog_statements(settings: Settings) -> Iterator[str]:
    """What tells Spark's catalog of the lake's tables as they are now.

    Raw tables and settings are external: dropping one removes no file.
    """
    from ingestion.loading import LINES, parse, sources

    lake = lake_url(settings)
    yield "create schema if not exists settings"
    with duckdb.connect(str(settings.restricted), read_only=True) as connection:
        for table in settings_tables():
            schema = connection.sql(f"select * from settings.{table} limit 0").to_arrow_table().schema
            yield f"drop table if exists settings.{table}"
            yield f"create table settings.{table} ({columns(schema)}) using parquet location '{lake}/settings/{table}'"
    for source in sources():
        dataset = f"raw_{source.name}"
        complete, loads = source_loads(settings, source.name), table_loads(settings, source.name)
        yield f"create schema if not exists {dataset}"
        typed = {table: rows.schema for table, rows in parse(source, LINES.empty_table())} | {"landed_files": LANDED_FILES}
        for table, schema in typed.items():
            yield f"drop table if exists {dataset}.{table}"
            yield (
                f"create table {dataset}.{table} ({columns(schema)}, load_id string) using parquet "
                f"partitioned by (load_id) location '{lake}/{dataset}/{table}'"
            )
            parts = " ".join(f"partition (load_id = '{load}')" for load in sorted(complete & loads.get(table, set())))
            if parts:
                yield f"alter table {dataset}.{table} add {parts}"


def columns(schema: pa.Schema) -> str:
    return ", ".join(f"`{field.name}` {spark_type(field.type)}" for field in schema)


def spark_type(kind: pa.DataType) -> str:
    """Spark's name of an Arrow type, as Parquet holds it."""
    if pa.types.is_timestamp(kind):
        return "timestamp_ltz" if kind.tz else "timestamp_ntz"
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision}, {kind.scale})"
    names = {pa.string(): "string", pa.int64(): "bigint", pa.int32(): "int", pa.bool_(): "boolean", pa.date32(): "date",
             pa.float64(): "double", pa.uint64(): "decimal(20, 0)"}  # fmt: skip
    return names[kind]
