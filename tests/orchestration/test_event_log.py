"""A batch of Dagster's events is stored whole or not at all."""

from __future__ import annotations

import time
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.events import DagsterEvent, DagsterEventType, StepMaterializationData
from dagster._core.events.log import EventLogEntry

from orchestration.event_log import KeptOpenEventLog


def materialized(asset: str) -> EventLogEntry:
    event = DagsterEvent(
        event_type_value=DagsterEventType.ASSET_MATERIALIZATION.value,
        job_name="refresh",
        event_specific_data=StepMaterializationData(dg.AssetMaterialization(asset)),
    )
    return EventLogEntry(
        error_info=None, level=10, user_message="", run_id="a-run", timestamp=time.time(), job_name="refresh", dagster_event=event
    )


@pytest.fixture
def log(tmp_path: Path):
    log = KeptOpenEventLog(str(tmp_path / "runs"))
    yield log
    log.dispose()


def test_a_batch_is_in_the_run_and_in_the_index(log: KeptOpenEventLog) -> None:
    log.store_event_batch([materialized("one"), materialized("two")])
    log.store_event(materialized("three"))
    assert len(log.get_logs_for_run("a-run")) == 3
    assert {key.to_user_string() for key in log.all_asset_keys()} == {"one", "two", "three"}


def test_a_batch_that_fails_leaves_nothing(log: KeptOpenEventLog, monkeypatch: pytest.MonkeyPatch) -> None:
    store, stored = log.store_event, []

    def full_disk(event: EventLogEntry) -> None:
        if stored:
            raise OSError("no space left")
        stored.append(event)
        store(event)

    monkeypatch.setattr(log, "store_event", full_disk)
    with pytest.raises(OSError, match="no space"):
        log.store_event_batch([materialized("one"), materialized("two")])
    assert log.get_logs_for_run("a-run") == []
    assert list(log.all_asset_keys()) == []
    monkeypatch.undo()
    log.store_event(materialized("one"))
    assert len(log.get_logs_for_run("a-run")) == 1
