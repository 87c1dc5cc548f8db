"""Which engine builds: DuckDB in this process, or Spark (SALWA_ENGINE). Nothing else of the project asks."""

from __future__ import annotations

from collections.abc import Callable

from ingestion.settings import Settings
from orchestration import transform
from orchestration.transform import BuildResult, Node


def build(
    settings: Settings,
    on_node: Callable[[Node, int], None] = lambda node, total: None,
    with_data_tests: bool = True,
    whole: bool = False,
) -> BuildResult:
    """Build all models and run all data tests; see transform.build and spark.building.build, which builds all each time."""
    if settings.engine == "spark":
        from orchestration.spark import building

        return building.build(settings, on_node, with_data_tests)
    return transform.build(settings, on_node, with_data_tests, whole)


def discard(settings: Settings) -> None:
    """Throw away what the engine keeps outside the data folder's database files."""
    if settings.engine == "spark":
        from ingestion import lake

        lake.discard(settings)
