"""Both kinds of serving: readers never see half a load, a kill harms nobody, a password is told to nobody."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import psycopg
import pytest
from psycopg import sql
from serving_process import MANIFEST, READ

from dashboards.serving import (
    NothingPublished,
    drop_older,
    open_serving,
    postgres_versions,
    publish,
    query,
    rollback,
    serving_version,
)
from dashboards.serving.reading import parameters_of
from ingestion.errors import SalwaError
from ingestion.settings import EXAMPLE_MARKER, Settings
from orchestration.stages import log_run
from orchestration.status import status_of

ROOT = Path(__file__).parents[2]
PROCESS = Path(__file__).parent / "serving_process.py"
PUBLISHES = 200
READERS = 8
KINDS = ("duckdb", "postgres")


@pytest.fixture
def serving_of(settings: Settings, database: str) -> Callable[[str], Settings]:
    """Settings of one kind of serving, over a small warehouse of batch 1."""

    def of(kind: str) -> Settings:
        write_batch(settings, 1)
        return with_url(settings, database) if kind == "postgres" else settings

    return of


def with_url(settings: Settings, url: str) -> Settings:
    return Settings(data=settings.data, phone_key=settings.phone_key, serving_url=url)  # type: ignore[arg-type]


def as_reader(url: str) -> str:
    """The same database for a person who may only read: a member of the role."""
    with psycopg.connect(url, autocommit=True) as connection:
        if not connection.execute("select 1 from pg_roles where rolname = 'metabase'").fetchone():
            connection.execute("create role metabase login in role salwa_reader")
    return url.replace("postgres@", "metabase@")


def write_batch(settings: Settings, batch: int) -> None:
    """A warehouse in which every row, and the run's now, tell the batch."""
    settings.data.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(settings.warehouse)) as connection:
        connection.execute(f"""
            create schema if not exists facts; create schema if not exists marts;
            create or replace table facts.dim_workspaces as
            select 'default' as workspace, to_timestamp({batch} * 60) as as_of;
            create or replace table facts.fct_messages as
            select
                cast(range as varchar) as message_id, 'default' as workspace, date '2026-10-05' as sent_local_date,
                to_timestamp(range) as sent_at, cast(range // 5 as varchar) as conversation_id, {batch} as batch
            from range(50);
            create or replace table marts.mart_daily_metrics as
            select date '2026-10-05' as local_date, 'default' as workspace, 'x' as channel, {batch} as batch;
        """)


def prepared_batches(settings: Settings, folder: Path) -> list[Path]:
    """Warehouses of batches 1 to 5, made beforehand because making one takes as long as publishing it."""
    made = [folder / f"batch_{batch}.duckdb" for batch in range(1, 6)]
    for batch, path in enumerate(made, start=1):
        write_batch(settings, batch)
        shutil.copyfile(settings.warehouse, path)
    return made


def batch_of(settings: Settings) -> int:
    with open_serving(settings) as connection:
        return query(connection, "select max(batch) from facts.fct_messages").rows[0][0]


def columns_of(settings: Settings) -> list[tuple]:
    with open_serving(settings) as connection:
        return query(
            connection,
            "select table_schema, table_name, column_name, data_type, numeric_precision, numeric_scale "
            "from information_schema.columns where table_schema in ('facts', 'marts') order by 1, 2, ordinal_position",
        ).rows


def schemas_of(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute("select nspname from pg_namespace where nspname ~ '^(facts|marts)'").fetchall()
    return {name for (name,) in rows}


def start(*arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, str(PROCESS), *arguments], env=environment, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("kind", KINDS)
def test_readers_see_whole_versions_while_many_are_published(
    kind: str,
    serving_of: Callable[[str], Settings],
    database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(postgres_versions, "PAUSE_SECONDS", 0.05)
    settings = serving_of(kind)
    publish(settings, MANIFEST)
    batches = prepared_batches(settings, tmp_path)
    url = as_reader(database) if kind == "postgres" else ""
    styles = ("new", "new", "kept", "kept", "kept", "prepared", "prepared", "prepared") if url else ("new",) * READERS
    stop = tmp_path / "stop"
    readers = [start("reader", str(settings.data), url, str(stop), style) for style in styles]
    for number in range(PUBLISHES):
        shutil.copyfile(batches[number % len(batches)], settings.warehouse)
        publish(settings, MANIFEST)
    stop.touch()
    told = [json.loads(reader.communicate(timeout=60)[0]) for reader in readers]
    assert [one["errors"] for one in told] == [[]] * READERS
    assert all(one["queries"] > 0 for one in told)
    # they did read while it went on, not only before or after
    assert all(one["batches"] == [1, 2, 3, 4, 5] for one in told)
    assert batch_of(settings) == 5
    if kind == "postgres":
        assert schemas_of(database) == {"facts", "marts", "facts_previous", "marts_previous"}
    else:
        assert len(list(settings.serving.iterdir())) == 3


@pytest.mark.parametrize(
    ("kind", "point", "serves"),
    [
        ("duckdb", "before:sign", 1),
        ("duckdb", "after:sign", 1),
        ("duckdb", "before:switch", 1),
        ("duckdb", "after:switch", 2),
        ("postgres", "after:create_next", 1),
        ("postgres", "after:fill_next", 1),
        ("postgres", "before:grant_next", 1),
        ("postgres", "after:lock_served", 1),
        ("postgres", "after:rename_schema", 1),
        ("postgres", "after:promote", 1),
        ("postgres", "after:switch", 2),
    ],
)
def test_a_kill_leaves_a_whole_version_and_the_next_run_repairs(
    kind: str, point: str, serves: int, serving_of: Callable[[str], Settings], database: str
) -> None:
    settings = serving_of(kind)
    publish(settings, MANIFEST)
    write_batch(settings, 2)
    dying = start("publisher", str(settings.data), database if kind == "postgres" else "", point)
    assert dying.wait(timeout=60) == -9
    assert batch_of(settings) == serves
    write_batch(settings, 3)
    publish(settings, MANIFEST)
    assert batch_of(settings) == 3
    if kind == "postgres":
        assert schemas_of(database) == {"facts", "marts", "facts_previous", "marts_previous"}
    else:
        assert len(list(settings.serving.iterdir())) == 3
    # what a kill left half done is nothing to go back to
    rollback(settings)
    assert batch_of(settings) == serves


@pytest.mark.parametrize("kind", KINDS)
def test_names_and_types_stay_and_each_version_tells_which_it_is(
    kind: str, serving_of: Callable[[str], Settings]
) -> None:
    settings = serving_of(kind)
    seen = []
    for batch in (1, 2, 3):
        write_batch(settings, batch)
        version = publish(settings, MANIFEST)
        with open_serving(settings) as connection:
            signed = serving_version(connection)
        assert signed is not None
        assert (signed["version"], signed["as_of"].timestamp()) == (version, batch * 60)
        assert f"{signed['published_at']:%Y%m%dT%H%M%S%fZ}" == version
        seen.append(columns_of(settings))
    assert seen[0] == seen[1] == seen[2]
    assert len(seen[0]) == 26  # those of the batch, serving_version and the notes


@pytest.mark.parametrize("kind", KINDS)
def test_rollback_goes_back_one_and_no_further(kind: str, serving_of: Callable[[str], Settings]) -> None:
    settings = serving_of(kind)
    with pytest.raises(NothingPublished):
        rollback(settings)
    with pytest.raises(NothingPublished):
        open_serving(settings)
    versions = []
    for batch in (1, 2, 3):
        write_batch(settings, batch)
        versions.append(publish(settings, MANIFEST))
    assert rollback(settings) == versions[1]
    assert batch_of(settings) == 2
    with pytest.raises(SalwaError, match=f"nothing older than {versions[1]}"):
        rollback(settings)
    assert batch_of(settings) == 2
    write_batch(settings, 4)
    publish(settings, MANIFEST)
    assert batch_of(settings) == 4
    assert rollback(settings) == versions[1]
    assert batch_of(settings) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_that_older_copies_are_dropped_and_the_served_one_stays(kind: str, serving_of: Callable[[str], Settings]) -> None:
    settings = serving_of(kind)
    for batch in (1, 2):
        write_batch(settings, batch)
        publish(settings, MANIFEST)
    drop_older(settings)
    assert batch_of(settings) == 2
    with pytest.raises(SalwaError, match="nothing older"):
        rollback(settings)
    write_batch(settings, 3)
    publish(settings, MANIFEST)
    rollback(settings)
    assert batch_of(settings) == 2


def test_the_reader_sees_what_is_served_and_nothing_else(serving_of: Callable[[str], Settings], database: str) -> None:
    settings = serving_of("postgres")
    publish(settings, MANIFEST)
    publish(settings, MANIFEST)
    reader = as_reader(database)
    for _ in ("after two publishes", "after going back"):
        with psycopg.connect(reader, autocommit=True) as connection:
            assert connection.execute("select count(*) from facts.fct_messages").fetchone() == (50,)
            for forbidden in ("select * from facts_previous.fct_messages", "delete from facts.fct_messages", "create schema mine"):
                with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedTable)):
                    connection.execute(forbidden)
        if "facts_previous" in schemas_of(database):
            rollback(settings)


def test_a_reader_that_holds_on_stops_the_switch_and_is_named(
    serving_of: Callable[[str], Settings], database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = serving_of("postgres")
    publish(settings, MANIFEST)
    write_batch(settings, 2)
    monkeypatch.setattr(postgres_versions, "PATIENCE_SECONDS", 1.5)
    with psycopg.connect(as_reader(database), application_name="a long report") as holding:
        holding.execute("select count(*) from facts.fct_messages")
        with pytest.raises(SalwaError, match=r"metabase \(a long report, process \d+, for \d s already\) did not let go"):
            publish(settings, MANIFEST)
        assert batch_of(settings) == 1
    publish(settings, MANIFEST)
    assert batch_of(settings) == 2
    assert schemas_of(database) == {"facts", "marts", "facts_previous", "marts_previous"}


def test_a_query_between_its_first_and_its_last_table_stays_in_its_version(
    serving_of: Callable[[str], Settings], database: str
) -> None:
    settings = serving_of("postgres")
    publish(settings, MANIFEST)
    write_batch(settings, 2)
    waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and application_name = %s"

    def read() -> tuple:
        with psycopg.connect(database, application_name="slow reader") as connection:
            return connection.execute(READ).fetchone() or ()

    with ThreadPoolExecutor(2) as pool, psycopg.connect(database, autocommit=True) as watching:
        with psycopg.connect(database) as blocking:
            # the reader has found facts.fct_messages, and has to wait for the mart
            blocking.execute("lock table marts.mart_daily_metrics in access exclusive mode")
            reading = pool.submit(read)
            until(lambda: bool(watching.execute(waiting, ["slow reader"]).fetchone()[0]))  # type: ignore[index]
            publishing = pool.submit(publish, settings, MANIFEST)
            until(lambda: publishing.done() or bool(watching.execute(waiting, ["salwa"]).fetchone()[0]))  # type: ignore[index]
        assert tuple(map(int, reading.result(timeout=60))) == (1, 1, 50, 1, 1)
        publishing.result(timeout=60)
    assert batch_of(settings) == 2


def until(condition: Callable[[], bool]) -> None:
    """Wait until it holds."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_two_publishers_exclude_each_other(
    serving_of: Callable[[str], Settings], database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = serving_of("postgres")
    monkeypatch.setattr(postgres_versions, "PATIENCE_SECONDS", 0.5)
    with psycopg.connect(database) as other:
        other.execute("select pg_advisory_lock(%s)", [postgres_versions.PUBLISHER_LOCK])
        with pytest.raises(SalwaError, match="another run is publishing"):
            publish(settings, MANIFEST)
    publish(settings, MANIFEST)
    assert batch_of(settings) == 1


def test_somebody_elses_schema_is_left_alone(serving_of: Callable[[str], Settings], database: str) -> None:
    settings = serving_of("postgres")
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("create schema facts; create table facts.theirs (n integer)")
    with pytest.raises(SalwaError, match="has a schema facts that salwa did not make"):
        publish(settings, MANIFEST)
    with psycopg.connect(database) as connection:
        assert connection.execute("select count(*) from facts.theirs").fetchone() == (0,)


def test_a_publisher_without_rights_over_roles(serving_of: Callable[[str], Settings], database: str) -> None:
    role = f"readers_{os.urandom(4).hex()}"
    with psycopg.connect(database, autocommit=True) as connection:
        if not connection.execute("select 1 from pg_roles where rolname = 'plain_publisher'").fetchone():
            connection.execute("create role plain_publisher login")
        connection.execute(sql.SQL("grant create on database {} to plain_publisher").format(sql.Identifier(connection.info.dbname)))
        plain = serving_of("postgres").model_copy(update={"serving_role": role})
        plain = plain.model_copy(update={"serving_url": type(plain.serving_url)(database.replace("postgres@", "plain_publisher@"))})  # type: ignore[misc]
        with pytest.raises(SalwaError, match=f"no role {role} and plain_publisher may not make it"):
            publish(plain, MANIFEST)
        connection.execute(sql.SQL("create role {} nologin").format(sql.Identifier(role)))
    for batch in (1, 2, 3):
        write_batch(plain, batch)
        publish(plain, MANIFEST)
    rollback(plain)
    assert batch_of(plain) == 2


def test_words_and_keys_reach_postgresql(serving_of: Callable[[str], Settings], database: str) -> None:
    publish(serving_of("postgres"), MANIFEST)
    with psycopg.connect(database) as connection:
        words = connection.execute(
            "select obj_description('facts.fct_messages'::regclass), col_description('facts.fct_messages'::regclass, 6)"
        ).fetchone()
        indexes = connection.execute("select indexdef from pg_indexes where schemaname = 'facts' order by 1").fetchall()
    assert words == ("Messages, told by the customer's phone", "100 % of the load")
    told = [definition.split("USING btree ")[1] for (definition,) in indexes]
    assert sorted(told) == ["(conversation_id)", "(message_id)", "(workspace, sent_at)", "(workspace, sent_local_date)"]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://salwa:hush@2026@db.example.com/salwa",
        "postgresql://salwa:5432/hush2026@db.example.com/salwa",
        "postgresql://salwa:hush#2026@db.example.com/salwa",
        "postgresql://salwa:hush?2026@db.example.com/salwa",
        "postgresql://salwa:hush%2026@localhost:1/salwa?hush=2026",
        "mysql://salwa:hush2026@db.example.com/salwa",
        "postgresql://salwa:hush2026@127.0.0.1:1/salwa",
        "postgresql://salwa@127.0.0.1:1/salwa?password=hush2026",
    ],
)
def test_the_password_is_in_no_error(url: str, settings: Settings) -> None:
    for action in (open_serving, rollback, lambda chosen: publish(chosen, MANIFEST)):
        with pytest.raises(SalwaError, match="SALWA_SERVING_URL") as refused:
            action(with_url(settings, url))
        told = f"{refused.value} {refused.value.__cause__} {with_url(settings, url)!r}"
        assert "hush" not in told
        assert "2026" not in told
        assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_status_tells_what_happened_when_serving_is_away(settings: Settings) -> None:
    settings.data.mkdir(parents=True)
    log_run(settings, job="refresh", outcome="failed", message="the reason")
    found = status_of(with_url(settings, "postgresql://salwa:hush2026@127.0.0.1:1/salwa"))
    assert "Connection refused" in found["problem"]
    assert [run["message"] for run in found["runs"]] == ["the reason"]
    assert status_of(settings)["problem"] is None


def test_the_example_never_leaves_its_folder(settings: Settings, database: str) -> None:
    chosen = with_url(settings, database)
    assert chosen.serving_database() == database
    settings.data.mkdir(parents=True)
    (settings.data / EXAMPLE_MARKER).touch()
    assert chosen.serving_database() is None


def test_parameters_are_told_from_texts_and_comments(serving_of: Callable[[str], Settings]) -> None:
    text = """
        -- not $this, nor it's
        select
            'a $text with 100 % and ''quotes''' as "a $name", $day as day, $n + 1 as n,
            case when $nothing is null then 'none' end as nothing, $day as again /* nor $that */
    """
    assert parameters_of(text) == {"day", "n", "nothing"}
    answers = []
    for kind in KINDS:
        settings = serving_of(kind)
        publish(settings, MANIFEST)
        with open_serving(settings) as connection:
            answers.append(query(connection, text, {"day": "2026-10-05", "n": 41, "nothing": None, "unused": 1}))
    assert answers[0] == answers[1]
    assert answers[0].rows == [("a $text with 100 % and 'quotes'", "2026-10-05", 42, "none", "2026-10-05")]


@pytest.mark.parametrize("kind", KINDS)
def test_whole_numbers_are_whole_and_reading_cannot_write(kind: str, serving_of: Callable[[str], Settings]) -> None:
    settings = serving_of(kind)
    publish(settings, MANIFEST)
    with open_serving(settings) as connection:
        (total,) = query(connection, "select sum(cast(batch as bigint)) from facts.fct_messages").rows[0]
        assert (total, type(total)) == (50, int)
        with pytest.raises((duckdb.InvalidInputException, psycopg.errors.ReadOnlySqlTransaction)):
            connection.execute("delete from facts.fct_messages")
