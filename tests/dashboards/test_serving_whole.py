"""The main job with PostgreSQL as serving: the same rows as the warehouse, and nothing where a test fails."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from conftest import KEY, run_stages
from test_stories import AS_OF, export, whatsapp

from dashboards.serving import open_serving, query, serving_version
from dashboards.serving.tables import INDEXES, served_tables
from ingestion.errors import SalwaError
from ingestion.importing import import_archives
from ingestion.inbox.export import import_export
from ingestion.settings import Settings, load_settings
from orchestration import assets
from orchestration.run import refresh
from orchestration.status import status_of
from orchestration.transform import BuildResult, Node

PASSWORD = "not-to-be-seen-anywhere"


def test_what_is_tested_is_served_row_by_row(
    settings: Settings, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = database.replace("postgres@", f"postgres:{PASSWORD}@")
    for name, value in {"DATA": str(settings.data), "PHONE_KEY": KEY, "SERVING_URL": url}.items():
        monkeypatch.setenv(f"SALWA_{name}", value)
    served = load_settings()
    import_export(served.landing, "default", export(tmp_path / "desk"))
    import_archives(served.landing, "default", "whatsapp", [whatsapp(tmp_path / "whatsapp")])
    models = run_stages(settings, AS_OF, with_data_tests=False)  # builds, and publishes the DuckDB copy
    # the job has nothing left to build: dbt only says how it went
    monkeypatch.setattr(assets, "build", lambda *_, **__: built(models, "pass"))
    good = refresh(served, as_of=AS_OF, pulls=False)

    with open_serving(settings) as in_duckdb, open_serving(served) as in_postgres:
        signed = serving_version(in_postgres)
        assert signed is not None
        assert signed["version"] == good.version
        tables = served_tables(in_duckdb, assets.manifest())
        assert len(tables) > 25
        for table in tables:
            if table.name in ("serving_version", "refresh_runs", "restatements"):  # each kind of serving has its own
                continue
            text = f"select * from {table.schema}.{table.name} order by {', '.join(str(n + 1) for n in range(len(table.columns)))}"
            assert query(in_duckdb, text) == query(in_postgres, text), table.name
        assert query(in_duckdb, "select count(*) from facts.fct_messages").rows[0][0] > 10
    assert_types_are_exact(database)
    now = datetime.now(UTC)
    assert status_of(served, now)["sources"] == status_of(settings, now)["sources"] != []

    # a failing test publishes nothing
    monkeypatch.setattr(assets, "build", lambda *_, **__: built(models, "fail"))
    with pytest.raises(SalwaError, match="nothing was published"):
        refresh(served, as_of=AS_OF, pulls=False)
    with open_serving(served) as connection:
        assert (serving_version(connection) or {})["version"] == good.version
        told = query(connection, "select outcome from marts.refresh_runs order by ended_at desc").rows
        assert told == [("failed",), ("published",)]
    assert status_of(served)["runs"][0]["outcome"] == "failed"
    assert PASSWORD.encode() not in b"".join(path.read_bytes() for path in served.data.rglob("*") if path.is_file())


def built(models: BuildResult, status: str) -> BuildResult:
    """A dbt run in which all models were built and all tests ended so."""
    tests = [
        Node(name, node["name"], "test", status, 0.0)
        for name, node in assets.manifest()["nodes"].items()
        if node["resource_type"] == "test"
    ]
    return BuildResult(models.nodes + tests)


def assert_types_are_exact(database: str) -> None:
    with psycopg.connect(database) as connection:
        found = dict(
            connection.execute(
                """
                select attrelid::regclass || '.' || attname, format_type(atttypid, atttypmod)
                from pg_attribute
                where attrelid::regclass::text in ('facts.fct_messages', 'facts.fct_turns', 'marts.mart_hourly_metrics')
                and attnum > 0
                """
            ).fetchall()
        )
        undescribed = connection.execute(
            """
            select pg_class.oid::regclass::text, attname
            from pg_class
            inner join pg_attribute on attrelid = pg_class.oid and attnum > 0
            where relnamespace in ('facts'::regnamespace, 'marts'::regnamespace) and relkind = 'r'
            and (col_description(pg_class.oid, attnum) is null or obj_description(pg_class.oid, 'pg_class') is null)
            """
        ).fetchall()
        keys = connection.execute(
            "select conrelid::regclass::text from pg_constraint where contype = 'p' and connamespace = 'facts'::regnamespace"
        ).fetchall()
    assert found["facts.fct_messages.message_id"] == "text"
    assert found["facts.fct_messages.sent_at"] == "timestamp with time zone"
    assert found["facts.fct_messages.sent_local_date"] == "date"
    assert found["facts.fct_messages.is_counted"] == "boolean"
    assert found["facts.fct_turns.response_seconds"] == "numeric(18,6)"
    assert found["marts.mart_hourly_metrics.local_hour"] == "timestamp without time zone"
    assert undescribed == []
    assert {("facts.fct_messages",), ("facts.fct_conversations",), ("facts.fct_turns",), ("facts.dim_days",)} <= set(keys)


def test_indexes_are_of_columns_that_are_there() -> None:
    models = {
        f"{node['schema']}.{node['alias']}": set(node["columns"])
        for node in assets.manifest()["nodes"].values()
        if node["resource_type"] == "model"
    }
    missing = {
        (table, column)
        for table, indexes in INDEXES.items()
        for index in indexes
        for column in index
        if column not in models.get(table, set())
    }
    assert missing == set()
