"""What `salwa check` sees of the receiver."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from receiver_process import SECRETS, ask, post, started

from ingestion.pulling import Finding
from ingestion.receiver.checks import check_receiver, time_of
from ingestion.receiver.files import ulid
from ingestion.settings import Settings

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
SOURCES = ("whatsapp", "chatwoot", "salla")


def with_secrets(data: Path, **more: Any) -> Settings:
    return Settings(data=data, **{**SECRETS, **more})


def findings(settings: Settings, source: str, now: datetime | None = NOW, workspace: int = 0) -> list[Finding]:
    found = check_receiver(settings, settings.workspaces()[workspace], source, now)
    assert all(bool(one.advice) != one.is_good for one in found)
    return found


def beat(settings: Settings, **worker: Any) -> None:
    """A heartbeat file of one worker."""
    path = settings.data / "state" / "receiver-heartbeat.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    mine = {"at": ago(seconds=5), "stopped_at": None, "landed": {}, "last_landed_at": {}, "refused": {}, "write_errors": 0}
    path.write_text(json.dumps({"at": ago(seconds=5), "workers": {"7": {**mine, **worker}}}))


def ago(**kwargs: float) -> str:
    return (NOW - timedelta(**kwargs)).isoformat(timespec="seconds")


@pytest.mark.parametrize("source", SOURCES)
def test_nothing_is_there(tmp_path: Path, source: str) -> None:
    found = findings(Settings(data=tmp_path), source)
    assert [one.is_good for one in found] == [False] * (4 if source == "whatsapp" else 3)
    assert f"SALWA_{source.upper()}" in found[0].what
    assert "has not run" in found[-2].what
    assert f"/webhooks/{source} " in found[-1].advice


def test_either_secret_of_chatwoot_is_enough(tmp_path: Path) -> None:
    for name in ("chatwoot_webhook_secret", "chatwoot_webhook_path_token"):
        found = findings(Settings(data=tmp_path, **{name: "x"}), "chatwoot")  # type: ignore[arg-type]
        assert found[0] == Finding(f"receiver: SALWA_{name.upper()} is set", True)


def test_a_workspace_has_secrets_and_an_address_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "workspaces.toml").write_text('[workspaces.one]\nsalla_webhook_secret = "x"\n[workspaces.two]\n')
    one, two = (findings(Settings(data=tmp_path), "salla", workspace=number) for number in (0, 1))
    assert [one[0].is_good, two[0].is_good] == [True, False]
    assert "/w/two/webhooks/salla" in two[-1].advice


@pytest.mark.parametrize(
    ("worker", "says"),
    [
        ({}, "receiver: runs"),
        ({"at": ago(seconds=59)}, "receiver: runs"),
        ({"write_errors": 3}, "3 times it could not write"),
        ({"at": ago(seconds=61)}, "silent since 2026-11-20 08:58"),
        ({"at": ago(hours=30)}, "silent since"),
        ({"stopped_at": ago(seconds=5)}, "stopped at 2026-11-20 08:59"),
        ({"at": None}, "has not run"),
        ({"at": "soon", "write_errors": "many"}, "has not run"),
    ],
)
def test_the_heartbeat(tmp_path: Path, worker: dict[str, Any], says: str) -> None:
    settings = with_secrets(tmp_path)
    beat(settings, **worker)
    found = findings(settings, "salla")[1]
    assert says in found.what
    assert found.is_good == ("silent" not in says and "stopped" not in says and "not run" not in says)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"workers": []}', '{"workers": {"7": {"refused": 5}, "8": 5}}'])
def test_a_damaged_heartbeat_is_none(tmp_path: Path, content: str) -> None:
    settings = with_secrets(tmp_path)
    beat(settings)
    (tmp_path / "state" / "receiver-heartbeat.json").write_text(content)
    assert "has not run" in findings(settings, "salla")[1].what


@pytest.mark.parametrize(
    ("last", "is_good"), [({"hours": 23.9}, True), ({"hours": 24.1}, False), ({"days": 40}, False)]
)
def test_the_last_delivery_by_the_heartbeat(tmp_path: Path, last: dict[str, float], is_good: bool) -> None:
    settings = with_secrets(tmp_path)
    beat(settings, last_landed_at={"default/salla": ago(**last), "other/salla": ago(seconds=1), "default/whatsapp": ago()})
    found = findings(settings, "salla")[-1]
    assert found.is_good == is_good
    assert f"{NOW - timedelta(**last):%Y-%m-%d %H:%M}" in found.what


def test_the_last_delivery_by_the_files(tmp_path: Path) -> None:
    """The receiver's own files, also the one that is open; not what was imported or pulled."""
    settings = with_secrets(tmp_path)
    now = datetime.now(UTC)
    folder = settings.landing / "default" / "salla" / "2026-11-20"
    folder.mkdir(parents=True)
    for name in ("pull-20261120T090000-0123456789ab-0001.ndjson.gz", "receive-x.ndjson", "receive-7-uuuuuuuuuu.ndjson"):
        (folder / name).touch()
    assert "ever" in findings(settings, "salla", now)[-1].what
    (folder / f".receive-7-{ulid()}.ndjson.open").touch()
    assert findings(settings, "salla", now)[-1].is_good
    assert not findings(settings, "salla", now + timedelta(hours=25))[-1].is_good


def test_the_time_in_a_files_name() -> None:
    before = datetime.now(UTC)
    found = time_of(f"receive-123-{ulid()}.ndjson")
    assert found is not None
    assert timedelta(milliseconds=-1) <= found - before < timedelta(seconds=10)
    assert time_of("receive-.ndjson") is None


def test_a_receiver_that_refuses_everything_has_another_secret(tmp_path: Path) -> None:
    receiver = started(tmp_path / "data")
    assert ask(receiver.port, "/webhooks/salla", b"{}", {"X-Salla-Signature": "0" * 64})[0] == 401
    assert post(receiver.port, "whatsapp", b"{}") == 200
    assert receiver.stop() == 0
    settings = with_secrets(receiver.data)
    salla, whatsapp = (findings(settings, source, None) for source in ("salla", "whatsapp"))
    assert "1 with 401" in salla[-1].advice
    assert whatsapp[-1].is_good
    assert "stopped" in salla[-2].what
