"""A refresh follows what lands: once for what came, never beside another run, and not for what a run pulled itself."""

from __future__ import annotations

import time
import uuid
from pathlib import Path

import dagster as dg
import pytest

from ingestion.landing import Delivery, LandingWriter
from ingestion.settings import Settings
from orchestration import following
from orchestration.following import following_sensor, terminal_lock, terminal_run, why_not_now

ASSETS = [dg.AssetKey("settings")]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings as a sensor finds them: in the environment."""
    monkeypatch.setenv("SALWA_DATA", str(tmp_path))
    (tmp_path / "dagster").mkdir()
    return Settings(data=tmp_path)


def land(settings: Settings, name: str = "receive") -> None:
    with LandingWriter(settings.landing, "default", "whatsapp", f"{name}-{uuid.uuid4().hex}") as writer:
        writer.append(Delivery(body=b"{}"))


def run_now(instance: dg.DagsterInstance, is_good: bool = True, during=lambda: None) -> None:
    """A run of the main job, from its beginning to its end."""

    @dg.op
    def work() -> None:
        during()
        if not is_good:
            raise dg.Failure("no")

    @dg.job
    def refresh() -> None:
        work()

    refresh.execute_in_process(instance=instance, raise_on_error=False)
    time.sleep(0.02)  # a file's time is as fine as the kernel's tick


def begun_run(instance: dg.DagsterInstance, status: dg.DagsterRunStatus, tags: dict[str, str] | None = None) -> None:
    instance.add_run(dg.DagsterRun(job_name="refresh", run_id=str(uuid.uuid4()), status=status, tags=tags or {}))


def looked(instance: dg.DagsterInstance) -> dg.RunRequest | dg.SkipReason:
    return following_sensor(ASSETS)(dg.build_sensor_context(instance=instance))


def later(settings: Settings, instance: dg.DagsterInstance, seconds: float) -> str | None:
    return why_not_now(instance, settings, time.time() + seconds)


def test_nothing_landed_nothing_starts(data: Settings) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        found = looked(instance)
        assert isinstance(found, dg.SkipReason)
        assert "nothing has landed" in found.skip_message


def test_what_landed_starts_one_run_that_asks_no_api(data: Settings) -> None:
    land(data)
    with dg.DagsterInstance.ephemeral() as instance:
        found = looked(instance)
        assert isinstance(found, dg.RunRequest)
        assert found.asset_selection == ASSETS
        run_now(instance)
        again = looked(instance)
        assert isinstance(again, dg.SkipReason)
        assert "nothing has landed" in again.skip_message


# a queued one takes a code server to make
@pytest.mark.parametrize("status", [one for one in following.UNFINISHED if one != dg.DagsterRunStatus.QUEUED])
def test_never_beside_another_run(status: dg.DagsterRunStatus, data: Settings) -> None:
    land(data)
    with dg.DagsterInstance.ephemeral() as instance:
        begun_run(instance, status)
        found = looked(instance)
        assert isinstance(found, dg.SkipReason)
        assert "under way" in found.skip_message


def test_what_lands_during_a_run_takes_one_more_after_the_pause(data: Settings) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        run_now(instance, during=lambda: land(data))
        assert "the next run begins in" in str(later(data, instance, 0))
        assert later(data, instance, 121) is None
        run_now(instance)
        assert "nothing has landed" in str(later(data, instance, 121))


def test_what_a_good_run_pulled_itself_takes_no_other(data: Settings) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        run_now(instance, during=lambda: land(data, "pull"))
        assert "nothing has landed" in str(later(data, instance, 121))
        run_now(instance, is_good=False, during=lambda: land(data, "pull"))
        assert later(data, instance, 16 * 60) is None


def test_a_failed_run_is_tried_again_but_not_with_every_webhook(data: Settings) -> None:
    land(data)
    with dg.DagsterInstance.ephemeral() as instance:
        run_now(instance, is_good=False)
        land(data)
        assert "the last run failed" in str(later(data, instance, 14 * 60))
        assert later(data, instance, 16 * 60) is None


def test_a_killed_terminal_blocks_nobody_and_a_living_one_does(data: Settings) -> None:
    land(data)
    with dg.DagsterInstance.ephemeral() as instance:
        with terminal_run(data) as tags:
            begun_run(instance, dg.DagsterRunStatus.STARTED, tags)
            assert isinstance(looked(instance), dg.SkipReason)
        terminal_lock(data, tags[following.TERMINAL_TAG]).touch()  # a killed one leaves its file, not its lock
        looked(instance)
        assert [record.dagster_run.status for record in instance.get_run_records()] == [dg.DagsterRunStatus.CANCELED]
        assert later(data, instance, 121) is None


def test_a_file_without_its_name_has_not_landed(data: Settings) -> None:
    folder = data.landing / "default" / "whatsapp" / "2026-11-22"
    folder.mkdir(parents=True)
    (folder / ".receive-1-x.ndjson.open").write_text("{}\n")
    with dg.DagsterInstance.ephemeral() as instance:
        assert "nothing has landed" in str(later(data, instance, 0))
