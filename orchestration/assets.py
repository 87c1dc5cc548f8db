"""Dagster's view of the stages: raw tables, dbt models with their tests as checks, and the serving copy."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from ingestion.loading import LandedSource, load, sources
from ingestion.settings import Settings, load_settings
from ingestion.workspace_tables import write_source_states
from orchestration import stages
from orchestration.compiling import manifest
from orchestration.engine import build
from orchestration.pulls import PULLED_SOURCES
from orchestration.transform import BuildResult, Node

WRITER_POOL = "warehouse_writer"  # DuckDB takes one writing process; the pool's limit is 1
MART_FRESHNESS = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=3), warn_window=timedelta(hours=2))


class RefreshConfig(dg.Config):
    """What a run may be told; everything has a default, so that it can be launched with one press."""

    full: bool = False
    as_of: str = ""


class BuildConfig(dg.Config):
    """How much is built: what new rows touch, or everything, with all tests."""

    whole: bool = False


class PullConfig(dg.Config):
    """How thoroughly the APIs are asked: refresh, nightly, or none at all."""

    depth: str = "refresh"


class Watcher(dg.ConfigurableResource):
    """Tells whoever watches how far a run is. The command replaces it by one that draws."""

    def source_loading(self, source: str) -> None:
        """A source begins to load."""

    def source_loaded(self, source: str, files: int, rows: dict[str, int]) -> None:
        """A source has loaded so many new files and rows."""

    def node_finished(self, node: Node, total: int) -> None:
        """A model or test has finished."""

    def published(self, version: str) -> None:
        """Readers see this version now."""

    def note(self, text: str) -> None:
        """Something worth a line."""


def model_key(node: dict[str, Any]) -> dg.AssetKey:
    """A model's asset key: its layer and its name."""
    return dg.AssetKey([node["schema"], node["name"]])


def source_key(node: dict[str, Any]) -> dg.AssetKey:
    """A raw table's asset key: its schema and its name, the same as the loading asset's."""
    return dg.AssetKey([node["schema"], node["name"]])


def pulled_key(source: str) -> dg.AssetKey:
    return dg.AssetKey(["pulled", source])


def pulling_asset(source: str) -> dg.AssetsDefinition:
    """What a source's API told since it was asked last, landed. A source that does not answer stops nobody else."""

    @dg.asset(
        key=pulled_key(source),
        group_name="pulled",
        description=f"Answers of {source}'s API, landed; nothing where no key to it is set.",
        check_specs=[dg.AssetCheckSpec("answered", asset=pulled_key(source))],
    )
    def pulled(config: PullConfig, watcher: Watcher) -> dg.MaterializeResult:
        from orchestration.pulls import pull

        found = pull(load_settings(), source, config.depth) if config.depth in ("refresh", "nightly") else None
        problems = found.problems if found else []
        for problem in problems:
            watcher.note(f"{source}: {problem}")
        return dg.MaterializeResult(
            metadata={"lines landed": found.lines if found else 0, "problems": problems},
            check_results=[
                dg.AssetCheckResult(
                    check_name="answered",
                    passed=not problems,
                    severity=dg.AssetCheckSeverity.WARN,
                    metadata={"problems": problems},
                )
            ],
        )

    return pulled


def raw_specs(source: LandedSource) -> list[dg.AssetSpec]:
    tables = ("landed_files", "landed_lines", "rejects", *source.tables)
    return [
        dg.AssetSpec(
            dg.AssetKey([f"raw_{source.name}", table]),
            deps=[dg.AssetKey("settings"), *([pulled_key(source.name)] if source.name in PULLED_SOURCES else [])],
            group_name="raw",
            kinds={"dlt", "duckdb"},
        )
        for table in tables
    ]


def loading_asset(source: LandedSource) -> dg.AssetsDefinition:
    """The raw tables of one source."""

    @dg.multi_asset(name=f"load_{source.name}", specs=raw_specs(source), pool=WRITER_POOL)
    def load_source(watcher: Watcher) -> Iterator[dg.MaterializeResult]:
        settings = load_settings()
        watcher.source_loading(source.name)
        with stages.only_writer(settings):
            loaded = load(settings, source)
        watcher.source_loaded(source.name, loaded.files, loaded.rows)
        for spec in raw_specs(source):
            table = spec.key.path[-1]
            rows = loaded.files if table == "landed_files" else loaded.rows.get(table, 0)
            yield dg.MaterializeResult(spec.key, metadata={"rows loaded": rows, "landing files": loaded.files})

    return load_source


@dg.asset(key=dg.AssetKey("settings"), group_name="raw", pool=WRITER_POOL, description="The workspaces' settings and the run's now.")
def workspace_settings(config: RefreshConfig, watcher: Watcher) -> dg.MaterializeResult:
    settings = load_settings()
    as_of = parse_as_of(config.as_of, settings)
    with stages.only_writer(settings):
        stages.prepare(settings, as_of, config.full, watcher.note)
    return dg.MaterializeResult(metadata={"as of": as_of.isoformat(), "full": config.full})


@dg.asset(
    key=dg.AssetKey("source_states"),
    deps=[dg.AssetKey("settings"), *(pulled_key(source) for source in PULLED_SOURCES)],
    group_name="raw",
    pool=WRITER_POOL,
    description="When each source was last heard in full: by its pulls, by the receiver's heartbeat.",
)
def known_source_states() -> None:
    settings = load_settings()
    with stages.only_writer(settings):
        write_source_states(settings)


def parse_as_of(text: str, settings: Settings) -> datetime:
    """The run's now: the given instant, else the moment it starts. Without an offset it is the first workspace's time."""
    from ingestion.errors import SalwaError

    if not text:
        return datetime.now(UTC)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise SalwaError(f"--as-of {text!r} is not an instant like 2026-10-31T23:59:59+03:00") from None
    return instant if instant.tzinfo else instant.replace(tzinfo=settings.workspaces()[0].zone)


def dbt_nodes(resource_type: str) -> list[dict[str, Any]]:
    nodes = manifest()["sources" if resource_type == "source" else "nodes"].values()
    return [node for node in nodes if node["resource_type"] == resource_type]


def dbt_keys() -> dict[str, dg.AssetKey]:
    """Asset keys by dbt's unique id, of models and of the raw tables they read."""
    models = {node["unique_id"]: model_key(node) for node in dbt_nodes("model")}
    tables = {
        node["unique_id"]: settings_key(node) if node["schema"] == "settings" else source_key(node)
        for node in dbt_nodes("source")
    }
    return models | tables


def settings_key(node: dict[str, Any]) -> dg.AssetKey:
    """The asset that writes a table of the schema settings: the states of the sources are written after the pulls."""
    return known_source_states.key if node["name"] == "source_states" else dg.AssetKey("settings")


def model_specs() -> list[dg.AssetSpec]:
    keys = dbt_keys()
    return [
        dg.AssetSpec(
            model_key(node),
            deps=sorted({keys[parent] for parent in node["depends_on"]["nodes"] if parent in keys}),
            description=node["description"] or None,
            group_name=node["schema"],
            kinds={"dbt", "duckdb"},
            # what people read should be at most a few hours old
            freshness_policy=MART_FRESHNESS if node["schema"] == "marts" else None,
        )
        for node in dbt_nodes("model")
    ]


def tested_models() -> dict[str, dg.AssetKey]:
    """The model that each dbt test is a check of, by the test's unique id."""
    keys = dbt_keys()
    found = {}
    for node in dbt_nodes("test"):
        attached = node.get("attached_node") or next(
            (parent for parent in node["depends_on"]["nodes"] if parent.startswith("model.")), None
        )
        if attached in keys and attached.startswith("model."):
            found[node["unique_id"]] = keys[attached]
    return found


def check_specs() -> list[dg.AssetCheckSpec]:
    names = {node["unique_id"]: node["name"] for node in dbt_nodes("test")}
    return [dg.AssetCheckSpec(name=names[test], asset=key) for test, key in tested_models().items()]


def dbt_asset() -> dg.AssetsDefinition:
    """All dbt models, and their tests as checks."""

    @dg.multi_asset(name="build_models", specs=model_specs(), check_specs=check_specs(), pool=WRITER_POOL)
    def build_models(config: BuildConfig, watcher: Watcher) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        settings = load_settings()
        with stages.only_writer(settings):
            result = build(settings, watcher.node_finished, whole=config.whole)
        dg.get_dagster_logger().info(result.told)
        yield from results_of(result)
        if not result.is_good:
            raise dg.Failure(description=failure_text(result), allow_retries=False)

    return build_models


def results_of(result: BuildResult) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """What the build did, in Dagster's words."""
    keys, tests = dbt_keys(), tested_models()
    for node in result.nodes:
        if node.resource_type == "model" and node.status == "success":
            yield dg.MaterializeResult(keys[node.unique_id], metadata={"seconds": round(node.seconds, 3)})
        elif node.unique_id in tests and node.status != "skipped":
            yield dg.AssetCheckResult(
                asset_key=tests[node.unique_id],
                check_name=node.name,
                passed=not node.is_failed,
                metadata={"failing rows": node.failures, "message": node.message},
            )


def failure_text(result: BuildResult) -> str:
    """Why nothing was published, in one line."""
    first = result.failed[0]
    more = f" and {len(result.failed) - 1} more" if len(result.failed) > 1 else ""
    return f"{first.name}{more} failed: {first.message.splitlines()[0] if first.message else first.status}"


def serving_asset() -> dg.AssetsDefinition:
    """The copy that readers see: written only when every model and every test was good."""
    served = [model_key(node) for node in dbt_nodes("model") if node["schema"] in ("facts", "marts")]

    @dg.asset(
        key=dg.AssetKey(["serving", "current"]),
        deps=served,
        group_name="serving",
        pool=WRITER_POOL,
        description="The published copy of facts and marts: in PostgreSQL where SALWA_SERVING_URL is set, else a DuckDB file.",
    )
    def serving_current(context: dg.AssetExecutionContext, watcher: Watcher) -> dg.MaterializeResult:
        from dashboards.serving import publish
        from ingestion.errors import SalwaError

        settings = load_settings()
        with stages.only_writer(settings):
            version = publish(settings, manifest(), stages.runs_with_this_one(settings, context.run.job_name))
            try:
                if stages.forget_older_copies(settings):
                    watcher.note("copies that still showed who was erased are gone")
            except SalwaError as error:  # readers see the new version all the same
                watcher.note(f"copies that still show who was erased cannot be removed yet, the next run tries again: {error}")
        watcher.published(version)
        where = "PostgreSQL" if settings.serving_database() else "DuckDB"
        return dg.MaterializeResult(metadata={"version": version, "kind": where})

    return serving_current


@dg.asset(
    key=dg.AssetKey(["serving", "compaction"]),
    deps=[dg.AssetKey(["serving", "current"])],
    group_name="serving",
    pool=WRITER_POOL,
    description="Both database files written anew, without the free space that rebuilding leaves.",
)
def compaction() -> dg.MaterializeResult:
    settings = load_settings()
    before = settings.restricted.stat().st_size + settings.warehouse.stat().st_size
    with stages.only_writer(settings):
        stages.compact(settings)
    after = settings.restricted.stat().st_size + settings.warehouse.stat().st_size
    return dg.MaterializeResult(metadata={"bytes before": before, "bytes after": after})


def all_assets() -> list[dg.AssetsDefinition]:
    """Everything that is materialised, in the order the data goes."""
    return [
        workspace_settings,
        *(pulling_asset(source) for source in PULLED_SOURCES),
        known_source_states,
        *(loading_asset(source) for source in sources()),
        dbt_asset(),
        serving_asset(),
        compaction,
    ]
