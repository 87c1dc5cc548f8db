"""The refresh job of stock wrappers: the same dlt resources, the same dbt project, the same publishing.

In one process and with a manifest that is parsed already, because two writing processes fail on DuckDB's lock.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import dlt
from dagster_dbt import DbtCliResource, DbtProject, dbt_assets
from dagster_dlt import DagsterDltResource, dlt_assets

from ingestion.landing import landed_files
from ingestion.loading import LandedSource, dlt_resources, loaded_files, sources
from ingestion.settings import load_settings
from orchestration.compiling import PROJECT, manifest, target_folder

project = DbtProject(project_dir=PROJECT, profiles_dir=PROJECT)


def landed_source(source: LandedSource) -> Any:
    """What has landed since the last load, as a dlt source."""

    @dlt.source(name=source.name)
    def landed() -> Any:
        settings = load_settings()
        done = loaded_files(settings, source)
        new = [p for p in landed_files(settings.landing, source.name) if p.relative_to(settings.landing).as_posix() not in (done or ())]
        return dlt_resources(source, new, settings.landing, {}, lambda files: None, has_tables=done is not None)

    return landed()


def loading(source: LandedSource) -> dg.AssetsDefinition:
    settings = load_settings()

    @dlt_assets(
        name=f"load_{source.name}",
        dlt_source=landed_source(source),
        dlt_pipeline=dlt.pipeline(
            pipeline_name=f"salwa_{source.name}",
            pipelines_dir=str(settings.data / "dlt"),
            destination=dlt.destinations.duckdb(str(settings.restricted)),
            dataset_name=f"raw_{source.name}",
        ),
    )
    def load(context: dg.AssetExecutionContext, loader: DagsterDltResource) -> Iterator[Any]:
        yield from loader.run(context=context, dlt_source=landed_source(source))

    return load


def dbt_manifest() -> Path:
    """dbt's own, of the project as it is."""
    manifest()
    return target_folder() / "manifest.json"


@dbt_assets(manifest=dbt_manifest())
def models(context: dg.AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
    settings = load_settings()
    os.environ |= {
        "SALWA_RESTRICTED_FILE": str(settings.restricted.resolve()),
        "SALWA_WAREHOUSE_FILE": str(settings.warehouse.resolve()),
        "SALWA_PHONE_KEY": settings.key(),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }
    yield from dbt.cli(["build", "--exclude-resource-type", "unit_test"], context=context).stream()


@dg.asset(deps=[models])
def serving() -> None:
    from dashboards.serving import publish

    publish(load_settings())


loads = [loading(source) for source in sources()]
defs = dg.Definitions(
    assets=[*loads, models, serving],
    # the wrappers' keys do not join by themselves: first all loads, then the rest
    jobs=[
        dg.define_asset_job("load", dg.AssetSelection.assets(*loads), executor_def=dg.in_process_executor),
        dg.define_asset_job("build", dg.AssetSelection.assets(models, serving), executor_def=dg.in_process_executor),
    ],
    resources={"loader": DagsterDltResource(), "dbt": DbtCliResource(project_dir=project, dbt_executable=os.environ.get("DBT", "dbt"))},
)
