"""DuckDB and Spark make the same facts and marts of the same landed files: every row, exactly."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from conftest import KEY, SHARED, SHOP_DAYS, SHOP_END, needs_shared
from test_same_answer import AS_OF, archive, deliveries
from test_truth import ARCHIVES, made_archive

from ingestion import lake
from ingestion.errors import SalwaError
from ingestion.example import example_workspaces_toml, write_example
from ingestion.importing import import_archives
from ingestion.inbox.export import import_export
from ingestion.landing import landed_files
from ingestion.loading import load, sources
from ingestion.settings import Settings
from orchestration import engine, stages
from orchestration.spark import building
from orchestration.spark.cluster import HOST, Cluster, java_version, start, stop
from orchestration.transform import BuildResult

Both = tuple[Settings, Settings]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One master, two workers and a Thrift server of the tests' own, as long as they run."""
    folder = tmp_path_factory.mktemp("spark")
    found = Cluster(folder=folder, thrift_port=free_port(), master_port=free_port(), catalog="in-memory")
    try:
        start(found, KEY)
        yield found
    finally:
        stop(found)


@pytest.fixture
def both(tmp_path: Path, cluster: Cluster) -> Both:
    """Settings of a warehouse on each engine, over one landing zone."""
    duck = Settings(data=tmp_path / "duckdb", phone_key=KEY)  # type: ignore[arg-type]
    spark = Settings(data=tmp_path / "spark", phone_key=KEY, engine="spark", spark_port=cluster.thrift_port)  # type: ignore[arg-type]
    for settings in (duck, spark):
        settings.data.mkdir()
    duck.landing.mkdir()
    spark.landing.symlink_to(duck.landing)
    schemas = ["settings", *lake.LAYERS, *(f"raw_{source.name}" for source in sources())]
    with building.short_polls():
        statements = [f"drop schema if exists {schema} cascade" for schema in schemas]
        building.run_operation(spark, "run_statements", {"statements": statements})
    return duck, spark


def build(settings: Settings, as_of: str, full: bool = False, with_data_tests: bool = False) -> BuildResult:
    """Load and build what has landed."""
    stages.prepare(settings, datetime.fromisoformat(as_of), full)
    for source in sources():
        load(settings, source)
    result = engine.build(settings, with_data_tests=with_data_tests)
    assert result.is_good, [(node.name, node.message) for node in result.failed]
    return result


def compare(both: Both, what: str) -> dict[str, int]:
    """Hold every fact and mart of one engine against the other's; the number of rows of each."""
    duck, spark = both
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"attach '{duck.warehouse}' as duck (read_only)")
        connection.execute(f"attach '{spark.warehouse}' as spark (read_only)")
        tables = {
            name: connection.execute(
                "select schema_name || '.' || table_name from duckdb_tables() where database_name = ? order by 1", [name]
            ).fetchall()
            for name in ("duck", "spark")
        }
        assert tables["duck"] == tables["spark"]
        rows: dict[str, int] = {}
        different: dict[str, tuple] = {}
        for (table,) in tables["duck"]:
            types = [connection.execute(f"describe {name}.{table}").fetchall() for name in ("duck", "spark")]
            assert [row[:2] for row in types[0]] == [row[:2] for row in types[1]], table
            only_duck, only_spark = (
                connection.execute(f"select * from {a}.{table} except all select * from {b}.{table} limit 3").fetchall()
                for a, b in (("duck", "spark"), ("spark", "duck"))
            )
            rows[table] = connection.execute(f"select count(*) from duck.{table}").fetchall()[0][0]
            if only_duck or only_spark:
                different[table] = (only_duck, only_spark)
    assert not different, (what, different)
    return rows


def parts(folder: Path, lines: list[str], count: int) -> list[Path]:
    """The deliveries in so many archives, as they came."""
    size = -(-len(lines) // count)
    return archive(folder, *(lines[start : start + size] for start in range(0, len(lines), size)))


def day_files(spark: Settings, table: str) -> dict[str, set[tuple[str, int]]]:
    """The files of each day of a table, with the instants at which they were written."""
    found: dict[str, set[tuple[str, int]]] = {}
    for path in (spark.data / "lake" / table.replace(".", "/")).glob("*=*/*.parquet"):
        found.setdefault(path.parent.name.partition("=")[2], set()).add((path.name, path.stat().st_mtime_ns))
    return found


@pytest.mark.small
def test_webhooks_with_defects_whole_and_after_an_increment(both: Both, tmp_path: Path) -> None:
    first, second = parts(tmp_path / "archive", sorted(deliveries(7)), 2)  # a line begins with when it was received
    duck, spark = both
    import_archives(duck.landing, "default", "whatsapp", [first])
    for settings in both:
        build(settings, AS_OF)
    rows = compare(both, "first half")
    assert rows["facts.fct_messages"] > 80 and rows["facts.fct_turns"] > 20
    tables = ("facts.fct_messages", "marts.mart_daily_metrics", "marts.mart_hourly_metrics")
    before = {table: day_files(spark, table) for table in tables}

    import_archives(duck.landing, "default", "whatsapp", [second])
    for settings in both:
        build(settings, AS_OF)
    assert compare(both, "both halves")["facts.fct_messages"] > rows["facts.fct_messages"]
    # an increment was one: a day in which nothing changed keeps its files
    for table in tables:
        now = day_files(spark, table)
        kept = {day for day in now if now[day] == before[table].get(day)}
        assert len(kept) >= 3, table
        assert set(now) - kept, table
    nothing_secret_is_written(spark)


def nothing_secret_is_written(spark: Settings) -> None:
    """The key stands in no file that the build leaves, and customers' numbers in none of dbt's."""
    from orchestration.compiling import target_folder

    for folder in (target_folder() / "spark", spark.data / "logs", spark.data / "lake" / "facts", spark.data / "lake" / "marts"):
        for path in (path for path in folder.rglob("*") if path.is_file()):
            assert KEY.encode() not in path.read_bytes(), path


@pytest.mark.small
def test_another_key_builds_nothing(both: Both) -> None:
    _, spark = both
    other = spark.model_copy(update={"phone_key": type(spark.phone_key)("another-key-0123456789abcdefghijklm")})
    stages.prepare(other, datetime.fromisoformat(AS_OF), False)
    with pytest.raises(SalwaError, match="another SALWA_PHONE_KEY"):
        engine.build(other)


@pytest.mark.small
def test_a_catalog_of_another_lake_is_left_alone(both: Both, tmp_path: Path) -> None:
    _, spark = both
    places = {layer: f"{tmp_path}/elsewhere/{layer}" for layer in lake.LAYERS}
    building.run_operation(spark, "make_layers", {"places": places})
    building.run_operation(spark, "make_layers", {"places": places})
    stages.prepare(spark, datetime.fromisoformat(AS_OF), False)
    with pytest.raises(SalwaError, match="of another lake"):
        engine.build(spark)


@pytest.mark.small
def test_what_a_killed_load_left_counts_for_nothing(tmp_path: Path) -> None:
    spark = Settings(data=tmp_path / "data", phone_key=KEY, engine="spark")  # type: ignore[arg-type]
    spark.data.mkdir()
    stages.prepare(spark, datetime.fromisoformat(AS_OF), False)
    whatsapp = sources()[0]
    first, second = parts(tmp_path / "archive", deliveries(7), 2)
    import_archives(spark.landing, "default", "whatsapp", [first])
    assert load(spark, whatsapp).files == 1
    system, root = lake.filesystem(spark)
    (done,) = lake.source_loads(spark, "whatsapp")
    before = sorted(system.find(f"{root}/raw_whatsapp"))
    # as if a second load had been killed after its rows were written
    half = f"{root}/raw_whatsapp/messages/load_id=1.5"
    system.makedirs(half)
    shutil.copy(system.glob(f"{root}/raw_whatsapp/messages/load_id={done}/*.parquet")[0], half)
    assert not any("1.5" in statement for statement in lake.catalog_statements(spark))
    assert load(spark, whatsapp).files == 0  # nothing new
    assert lake.loaded_files(spark, "whatsapp") == {
        path.relative_to(spark.landing).as_posix() for path in landed_files(spark.landing, "whatsapp")
    }
    import_archives(spark.landing, "default", "whatsapp", [second])
    assert load(spark, whatsapp).files == 1
    assert not system.exists(half)
    # an increment adds partitions and touches none that was there
    assert set(before) - {path for path in before if "_dlt_" in path} <= set(system.find(f"{root}/raw_whatsapp"))
    assert len(lake.source_loads(spark, "whatsapp")) == 2


@pytest.mark.small
def test_java_versions() -> None:
    assert java_version('openjdk version "17.0.15" 2025-04-15') == 17
    assert java_version('java version "1.8.0_392"') == 8
    assert java_version('openjdk version "21" 2023-09-19') == 21
    assert java_version("no such thing") is None


def test_the_example_shop_whole_and_after_three_increments(both: Both, tmp_path: Path) -> None:
    duck, _ = both
    truth = write_example(tmp_path / "archives", SHOP_END, SHOP_DAYS)
    for settings in both:
        (settings.data / "workspaces.toml").write_text(example_workspaces_toml(SHOP_END), encoding="utf-8")
    end = datetime.fromisoformat(str(truth.as_of)) - timedelta(seconds=1)
    for days_before in (9, 3, 1, 0):
        as_of = end - timedelta(days=days_before)
        for source in ("whatsapp", "chatwoot", "salla"):
            known = [path for path in sorted((tmp_path / "archives" / source).iterdir()) if path.name[:10] <= as_of.date().isoformat()]
            import_archives(duck.landing, "default", source, known)
        for settings in both:
            build(settings, as_of.isoformat())
        rows = compare(both, f"{days_before} days before the end")
    assert rows["facts.fct_messages"] > 1000 and rows["facts.fct_orders"] > 100


@needs_shared
def test_a_real_export(both: Both) -> None:
    duck, _ = both
    import_export(duck.landing, "default", SHARED / "data" / "chitchat_inbox")
    for settings in both:
        build(settings, "2026-11-22T12:00:00+03:00")
    assert compare(both, "the real export")["facts.fct_messages"] > 250_000


@needs_shared
@pytest.mark.parametrize("name", ["riyadh", "new_york_three_numbers"])
def test_made_webhooks_with_defects(name: str, both: Both, tmp_path: Path) -> None:
    truth = made_archive(tmp_path / "archive", ARCHIVES[name])
    both = tuple(settings.model_copy(update={"timezone": truth["timezone"]}) for settings in both)
    import_archives(both[0].landing, "default", "whatsapp", [tmp_path / "archive" / "webhooks"])
    for settings in both:
        build(settings, truth["as_of"])
    assert compare(both, name)["facts.fct_messages"] == truth["message_ids"]


def test_the_data_tests_run_on_spark(both: Both, tmp_path: Path) -> None:
    duck, spark = both
    import_archives(duck.landing, "default", "whatsapp", archive(tmp_path / "archive", deliveries(7)))
    tested = build(spark, AS_OF, with_data_tests=True)
    assert {node.resource_type for node in tested.nodes} == {"model", "test"}
    assert {node.status for node in tested.nodes} == {"success", "pass"}
