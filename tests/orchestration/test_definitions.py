"""Dagster's view of the project: what it must show, and that lineage joins from the raw tables to the served copy."""

from __future__ import annotations

import dagster as dg
import pytest


@pytest.fixture(scope="module")
def defs() -> dg.Definitions:
    from orchestration.definitions import defs

    return defs


def test_it_loads_as_the_server_loads_it(defs: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(defs)
    assert {job.name for job in defs.jobs} == {"refresh", "nightly"}


def test_schedules_run_by_themselves_in_the_workspaces_zone(defs: dg.Definitions) -> None:
    found = {schedule.name: schedule for schedule in defs.schedules}
    assert set(found) == {"hourly_refresh", "nightly"}
    assert {s.execution_timezone for s in found.values()} == {"Asia/Riyadh"}
    assert {s.default_status for s in found.values()} == {dg.DefaultScheduleStatus.RUNNING}
    assert found["hourly_refresh"].cron_schedule == "0 * * * *"


def test_every_raw_table_that_dbt_reads_is_loaded_by_an_asset(defs: dg.Definitions) -> None:
    graph = defs.resolve_asset_graph()
    keys = graph.get_all_asset_keys()
    missing = {parent.to_user_string() for key in keys for parent in graph.get(key).parent_keys if parent not in keys}
    assert missing == set()
    served = dg.AssetKey(["serving", "current"])
    upstream, front = set(), {served}
    while front:
        front = {parent for key in front for parent in graph.get(key).parent_keys} - upstream
        upstream |= front
    assert dg.AssetKey(["raw_whatsapp", "messages"]) in upstream
    assert dg.AssetKey(["marts", "mart_daily_metrics"]) in upstream


def test_dbt_tests_are_checks_of_their_models(defs: dg.Definitions) -> None:
    from orchestration.compiling import manifest
    from orchestration.pulls import PULLED_SOURCES

    nodes = manifest()["nodes"].values()
    data_tests = [node for node in nodes if node["resource_type"] == "test"]
    checks = defs.resolve_asset_graph().asset_check_keys
    assert len(data_tests) > 60
    assert len(checks) == len(data_tests) + len(PULLED_SOURCES)
    marts = dg.AssetKey(["marts", "mart_daily_metrics"])
    assert any(check.asset_key == marts for check in checks)
