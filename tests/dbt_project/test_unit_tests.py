"""The rules of the metrics contract as dbt unit tests, against relations that hold nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from conftest import begin_with_empty_tables

from ingestion.settings import Settings
from ingestion.workspace_tables import write_workspace_tables
from orchestration.compiling import PROJECT, run_dbt
from orchestration.transform import build


@pytest.fixture
def empty_warehouse(settings: Settings) -> Settings:
    """All models from landing that holds nothing: unit tests take the types of columns from relations.

    dbt itself would make the same ones (test_transform.py); it takes a quarter of a minute more.
    """
    begin_with_empty_tables(settings)
    write_workspace_tables(settings, datetime(2026, 10, 10, tzinfo=UTC))
    built = build(settings, with_data_tests=False)
    assert built.is_good, [(node.name, node.message) for node in built.failed]
    return settings


def test_every_unit_test_passes(empty_warehouse: Settings) -> None:
    results = dbt(empty_warehouse, ["test", "--select", "test_type:unit", "--no-write-json"])

    assert {str(found.status) for found in results} == {"pass"}
    assert sorted(found.node.name for found in results) == sorted(unit_tests_in_yaml())
    assert len(results) >= 140


def dbt(settings: Settings, arguments: list[str]) -> list[Any]:
    """Run dbt as a person would by hand; its results."""
    environment = {
        "SALWA_RESTRICTED_FILE": str(settings.restricted),
        "SALWA_WAREHOUSE_FILE": str(settings.warehouse),
        "SALWA_PHONE_KEY": settings.key(),
    }
    outcome = run_dbt([*arguments, "--target-path", str(settings.data / "target")], environment)
    assert outcome.exception is None
    failed = [found for found in outcome.result.results if str(found.status) not in ("success", "pass")]
    assert [(found.node.name, found.message) for found in failed] == []
    return list(outcome.result.results)


def unit_tests_in_yaml() -> list[str]:
    """Names of all unit tests that stand beside the models."""
    documents = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in PROJECT.glob("models/**/*.yml")]
    return [test["name"] for document in documents for test in document.get("unit_tests", [])]
