"""Building without dbt's own runner: the same relations as dbt makes, failures that stop what reads them."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from conftest import build_landed
from test_same_answer import AS_OF, archive, deliveries, land

from ingestion.errors import SalwaError
from ingestion.settings import Settings
from orchestration import compiling, transform
from orchestration.compiling import compile_project, manifest, run_dbt
from orchestration.stages import compact
from orchestration.transform import Node, build


def node(kind: str, name: str, sql: str, reads: tuple[str, ...] = (), **config: Any) -> dict[str, Any]:
    """A node as dbt's manifest has it."""
    defaults = {"materialized": "table", "contract": {"enforced": False}, "severity": "error", "limit": None}
    counting = {"fail_calc": "count(*)", "warn_if": "!= 0", "error_if": "!= 0"}
    return {
        "unique_id": f"{kind}.{name}", "name": name, "resource_type": kind, "database": "warehouse", "schema": "facts",
        "relation_name": f'"warehouse"."facts"."{name}"', "compiled_code": sql, "columns": {},
        "depends_on": {"nodes": [f"model.{read}" for read in reads]}, "config": defaults | counting | config,
    }  # fmt: skip


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    """Builds these nodes instead of the project's; tells how each ended."""
    settings.data.mkdir()

    def run(*nodes: dict[str, Any]) -> dict[str, Node]:
        monkeypatch.setattr(transform, "manifest", lambda: {"nodes": {node["unique_id"]: node for node in nodes}})
        return {found.name: found for found in build(settings).nodes}

    return run


def relations(settings: Settings) -> dict[str, tuple[list[tuple], list[tuple]]]:
    """Types and rows of everything that models make."""
    with duckdb.connect(str(settings.restricted)) as connection:
        connection.execute(f"attach '{settings.warehouse}' as warehouse; set TimeZone = 'UTC'")
        names = [model["relation_name"] for model in manifest()["nodes"].values() if model["resource_type"] == "model"]
        return {
            name: (
                [row[:3] for row in connection.execute(f"describe {name}").fetchall()],
                connection.execute(f"select * from {name} order by all").fetchall(),
            )
            for name in names
        }


def test_dbt_itself_makes_the_same(settings: Settings, tmp_path: Path) -> None:
    land(settings, archive(tmp_path / "archive", deliveries(5)))
    build_landed(settings, AS_OF)
    ours = relations(settings)

    environment = {
        "SALWA_RESTRICTED_FILE": str(settings.restricted),
        "SALWA_WAREHOUSE_FILE": str(settings.warehouse),
        "SALWA_PHONE_KEY": settings.key(),
    }
    outcome = run_dbt(["run", "--target-path", str(tmp_path / "target")], environment)
    assert outcome.success, outcome.exception
    dbts = relations(settings)

    assert len(ours) == len(outcome.result.results)
    assert len(ours['"warehouse"."facts"."fct_messages"'][1]) > 100
    for name, (types, rows) in ours.items():
        # dbt puts a contract's columns in the contract's order, as is done here
        assert (types, rows) == dbts[name], name


def test_what_reads_a_failed_model_is_skipped_and_the_rest_is_built(run) -> None:
    ended = run(
        node("model", "last", "select * from warehouse.facts.middle", ("middle",)),
        node("model", "middle", "select * from warehouse.facts.first", ("first",), materialized="view"),
        node("model", "first", "select cast('x' as integer) as number"),
        node("model", "apart", "select 1 as number"),
        node("test", "of_last", "select 1", ("last",)),
        node("test", "of_apart", "select * from warehouse.facts.apart where number > 1", ("apart",)),
    )
    assert {name: found.status for name, found in ended.items()} == {
        "first": "error", "middle": "skipped", "last": "skipped", "apart": "success", "of_last": "skipped", "of_apart": "pass",
    }  # fmt: skip
    assert ended["first"].message == "Conversion Error: Could not convert string … to INT32"


def test_an_error_names_nobody(run, settings: Settings) -> None:
    told = "select cast(number as integer) as number from (select '966500000101 Noura' as number)"
    ended = run(node("model", "numbers", told), node("model", "big", "select cast(966500000101 as tinyint) as number"))
    assert {found.status for found in ended.values()} == {"error"}
    log = (settings.data / "logs" / "build.log").read_text(encoding="utf-8")
    for text in (log, ended["numbers"].message, ended["big"].message):
        assert "966500" not in text and "Noura" not in text
    assert "Could not convert" in log


def test_a_folder_may_be_called_anything(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    named = settings.model_copy(update={"data": settings.data.parent / "it's"})
    named.data.mkdir()
    monkeypatch.setattr(transform, "manifest", lambda: {"nodes": {"model.one": node("model", "one", "select 1 as number")}})
    assert build(named).is_good
    compact(named)
    with duckdb.connect(str(named.warehouse)) as warehouse:
        assert warehouse.execute("select number from facts.one").fetchall() == [(1,)]


def test_a_test_that_finds_rows_fails_or_warns(run, settings: Settings) -> None:
    rows = "select * from warehouse.facts.numbers where number > 1"
    ended = run(
        node("model", "numbers", "select unnest([1, 2, 3]) as number"),
        node("test", "fails", rows, ("numbers",)),
        node("test", "warns", rows, ("numbers",), severity="warn"),
        node("test", "bears_two", rows, ("numbers",), warn_if="> 2", error_if="> 2"),
        node("test", "cannot_run", "select nothing from nowhere", ("numbers",)),
    )
    assert {name: (found.status, found.failures) for name, found in ended.items()} == {
        "numbers": ("success", 0), "fails": ("fail", 2), "warns": ("warn", 2), "bears_two": ("pass", 2),
        "cannot_run": ("error", 0),
    }  # fmt: skip
    assert ended["fails"].message.startswith("Got 2 results")
    log = (settings.data / "logs" / "build.log").read_text(encoding="utf-8").splitlines()
    assert len(log) == 6
    assert log[0] == "all made in full: there is no finished build to go on from"
    assert {tuple(line.split()[2:4]) for line in log[1:3]} == {("fail", "fails"), ("error", "cannot_run")}


def test_what_no_model_stands_for_is_gone(run, settings: Settings) -> None:
    run(node("model", "kept", "select 1 as number"), node("model", "renamed", "select 2 as number"))
    run(node("model", "kept", "select 3 as number", materialized="view"), node("model", "anew", "select 2 as number"))
    with duckdb.connect(str(settings.warehouse)) as warehouse:
        found = warehouse.execute("select table_name, table_type from information_schema.tables order by 1").fetchall()
    assert found == [("anew", "BASE TABLE"), ("kept", "VIEW")]


def test_a_contract_gives_columns_their_types_and_order(run, settings: Settings) -> None:
    columns = {"amount": {"data_type": "decimal(18, 2)"}, "name": {"data_type": "varchar"}}
    contracted = {"contract": {"enforced": True}}
    run(node("model", "orders", "select 'x' as name, 1 as amount", **contracted) | {"columns": columns})
    with duckdb.connect(str(settings.warehouse)) as warehouse:
        types = warehouse.execute("describe facts.orders").fetchall()
    assert [row[:2] for row in types] == [("amount", "DECIMAL(18,2)"), ("name", "VARCHAR")]
    broken = run(node("model", "orders", "select 'x' as name", **contracted) | {"columns": columns})
    assert broken["orders"].status == "error"


def test_what_is_not_known_here_is_refused(run) -> None:
    with pytest.raises(SalwaError, match="tables or views, without hooks"):
        run(node("model", "grows", "select 1 as number", materialized="incremental"))
    with pytest.raises(SalwaError, match="tables or views, without hooks"):
        run(node("operation", "on_run_start", "drop table x", materialized="view"))
    with pytest.raises(SalwaError, match="tables or views, without hooks"):
        run(node("model", "hooked", "select 1 as number", **{"post-hook": [{"sql": "drop table x"}]}))


def test_what_dbt_cannot_compile_is_told_in_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = SimpleNamespace(node=SimpleNamespace(name="fct_turns"), status="error", message="'sume' is undefined")
    outcome = SimpleNamespace(success=False, exception=None, result=[failed])
    monkeypatch.setattr(compiling, "run_dbt", lambda *_: outcome)
    with pytest.raises(SalwaError, match="fct_turns: 'sume' is undefined"):
        compile_project()


def test_a_project_that_changes_while_it_is_compiled_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBT_TARGET_PATH", str(tmp_path))
    written = {"nodes": {"model.one": {"compiled_code": "select 1"}}, "sources": {}}
    monkeypatch.setattr(compiling, "compile_project", lambda: (tmp_path / "manifest.json").write_text(json.dumps(written)))
    with pytest.raises(SalwaError, match="changed while it was compiled"):
        compiling.compiled_manifest("the stamp of before")
    assert not compiling.manifest_file().exists()
    assert compiling.compiled_manifest(compiling.project_stamp())["nodes"]["model.one"]["compiled_code"] == "select 1"
