"""Fixtures: a warehouse of its own for each test, the whole pipeline without Dagster, and the shared reference data."""

from __future__ import annotations

import fcntl
import os
import pickle
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from benchmarks.postgres import running_postgres
from dashboards.serving import open_serving, publish
from ingestion.example import ExampleTruth, example_workspaces_toml, write_example
from ingestion.importing import import_archives
from ingestion.loading import load, sources
from ingestion.settings import Settings
from orchestration import stages
from orchestration.transform import BuildResult, build

SHARED = Path(__file__).parents[2] / "shared"
KEY = "a-key-for-tests-0123456789abcdefghij"
SHOP_END = date(2026, 11, 20)
SHOP_DAYS = 60

# By processor time: workers that begin with these all end at about the same moment. Files not named come after them.
LONGEST_FIRST = (
    "dashboards/test_cards.py",  # makes the example shop, which others then have
    "dashboards/test_metabase_push.py",
    "dashboards/test_serving.py",
    "dbt_project/test_unit_tests.py",
    "ingestion/test_salla_pull.py",
    "dashboards/test_metabase_cards.py",
    "orchestration/test_command.py",
    "test_truth.py",
    "dashboards/test_page.py",
    "ingestion/test_chatwoot_pull.py",
    "test_inbox_export.py",
    "test_same_answer.py",
    "ingestion/test_salla_raw.py",
    "ingestion/test_example.py",
    "test_erase.py",
    "test_online_retail.py",
    "orchestration/test_transform.py",
    "ingestion/test_chatwoot.py",
    "test_received_samples.py",
    "benchmarks/test_benchmarks.py",
    "dashboards/test_serving_whole.py",
    "ingestion/test_loading.py",
    "ingestion/test_importing.py",
    "orchestration/test_refresh_button.py",
    "ingestion/test_receiver.py",
    "ingestion/test_receiver_loss.py",
)

needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="the reference data is not beside this checkout")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take long begin first; the order within a file stays."""
    places = {Path(__file__).parent / name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own SALWA_ variables and .env change no test."""
    for name in [name for name in os.environ if name.startswith("SALWA_")]:
        monkeypatch.delenv(name)
    monkeypatch.setitem(Settings.model_config, "env_file", None)


FOR_ALL_WORKERS: list[Path] = []


@pytest.fixture(scope="session", autouse=True)
def for_all_workers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this run of the tests that its workers share."""
    base = tmp_path_factory.getbasetemp()
    FOR_ALL_WORKERS[:] = [base.parent if "PYTEST_XDIST_WORKER" in os.environ else base]
    return FOR_ALL_WORKERS[0]


@contextmanager
def made_once(folder: Path) -> Iterator[bool]:
    """Whether a worker has filled this folder already; where none has, the others wait until this one has."""
    folder.mkdir(exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        finished = folder.with_suffix(".made")
        yield finished.exists()
        finished.touch()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data", phone_key=KEY)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL that runs as long as the tests do; its user postgres may do anything."""
    with running_postgres() as url:
        yield url


@pytest.fixture
def database(postgres_server: str) -> Iterator[str]:
    """The URL of an empty PostgreSQL database of its own."""
    import psycopg

    name = f"test_{os.urandom(4).hex()}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"create database {name}")
        yield postgres_server.replace("/postgres?", f"/{name}?")
        connection.execute(f"drop database {name} with (force)")


def run_stages(
    settings: Settings, as_of: str | datetime, full: bool = False, with_data_tests: bool = True
) -> BuildResult:
    """Load, build, test, publish, as the main job does; without the data tests where a test looks at all rows itself."""
    result = build_landed(settings, as_of, full, with_data_tests)
    publish(settings)
    return result


def build_landed(
    settings: Settings, as_of: str | datetime, full: bool = False, with_data_tests: bool = False
) -> BuildResult:
    """Load, build and test what has landed."""
    instant = datetime.fromisoformat(as_of) if isinstance(as_of, str) else as_of
    begin_with_empty_tables(settings)
    stages.prepare(settings, instant, full)
    for source in sources():
        load(settings, source)
    result = build(settings, with_data_tests=with_data_tests)
    assert result.is_good, [(node.name, node.message) for node in result.failed]
    return result


def begin_with_empty_tables(settings: Settings) -> None:
    """A new warehouse begins as a refresh of nothing leaves it, which is copied: making all tables takes seconds."""
    settings.data.mkdir(parents=True, exist_ok=True)
    if settings.restricted.exists():
        return
    template = empty_tables(FOR_ALL_WORKERS[0])
    shutil.copyfile(template / "restricted.duckdb", settings.restricted)
    shutil.copytree(template / "dlt", settings.data / "dlt", dirs_exist_ok=True)


@cache
def empty_tables(shared: Path) -> Path:
    """A data folder in which all sources were loaded before anything had landed; made once for all workers."""
    folder = shared / "empty-tables"
    settings = Settings(data=folder, phone_key=KEY)  # type: ignore[arg-type]
    with made_once(folder) as is_made:
        if not is_made:
            for source in sources():
                load(settings, source)
    return folder


@pytest.fixture(scope="session")
def shop(for_all_workers: Path) -> tuple[Settings, ExampleTruth]:
    """The example shop's warehouse, to be read only, and the story's own counts; made once for all workers."""
    folder = for_all_workers / "example-shop"
    settings = Settings(data=folder / "data", phone_key=KEY)  # type: ignore[arg-type]
    told = folder / "truth.pickle"
    with made_once(folder) as is_made:
        if not is_made:
            truth = write_example(folder / "archives", SHOP_END, SHOP_DAYS)
            settings.data.mkdir()
            (settings.data / "workspaces.toml").write_text(example_workspaces_toml(SHOP_END), encoding="utf-8")
            for source in ("whatsapp", "chatwoot", "salla"):
                import_archives(settings.landing, "default", source, [folder / "archives" / source])
            # at midnight itself today would be empty
            run_stages(settings, datetime.fromisoformat(str(truth.as_of)) - timedelta(seconds=1))
            told.write_bytes(pickle.dumps(truth))
    return settings, pickle.loads(told.read_bytes())  # noqa: S301


@pytest.fixture
def served() -> Iterator[Callable[[Settings], object]]:
    """Opens the serving copy of given settings; closed after the test."""
    opened = []

    def open_copy(settings: Settings) -> object:
        connection = open_serving(settings)
        opened.append(connection)
        return connection

    yield open_copy
    for connection in opened:
        connection.close()


def table_rows(settings: Settings, table: str) -> list[tuple]:
    """All rows of a served table, in order."""
    with open_serving(settings) as connection:
        return connection.execute(f"select * from {table} order by all").fetchall()


def served_tables(settings: Settings) -> list[str]:
    """Names of all served tables of facts and marts, without those that tell of the publishing itself."""
    with open_serving(settings) as connection:
        rows = connection.execute(
            "select table_schema || '.' || table_name from information_schema.tables "
            "where table_schema in ('facts', 'marts') and table_name not in ('serving_version', 'refresh_runs', 'restatements') order by 1"
        ).fetchall()
    return [name for (name,) in rows]
