"""The rules of the metrics contract as dbt unit tests, against relations that hold nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import yaml

from ingestion.loading import load, sources
from ingestion.settings import Settings
from ingestion.workspace_tables import write_workspace_tables
from orchestration.transform import PROJECT, run_dbt


@pytest.fixture
def empty_warehouse(settings: Settings) -> Settings:
    """All models, built from landing that holds nothing: unit tests take the types of columns from relations."""
    settings.data.mkdir(parents=True)
    write_workspace_tables(settings, datetime(2026, 10, 10, tzinfo=UTC))
    for source in sources():
        load(settings, source)
    built = run_dbt(settings, ["run"])
    assert built.is_good, [(node.name, node.message) for node in built.failed] or built.problem
    return settings


def test_every_unit_test_passes(empty_warehouse: Settings) -> None:
    result = run_dbt(empty_warehouse, ["test", "--select", "test_type:unit"])

    assert result.problem is None
    assert [(node.name, node.message) for node in result.failed] == []
    assert {node.status for node in result.nodes} == {"pass"}
    assert sorted(node.name for node in result.nodes) == sorted(unit_tests_in_yaml())
    assert len(result.nodes) >= 140


def unit_tests_in_yaml() -> list[str]:
    """Names of all unit tests that stand beside the models."""
    documents = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in PROJECT.glob("models/**/*.yml")]
    return [test["name"] for document in documents for test in document.get("unit_tests", [])]
