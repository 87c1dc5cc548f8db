"""The command as a person runs it: refresh through Dagster's job, a failing test that harms nobody, clear errors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from conftest import KEY

from dashboards.serving import CURRENT
from orchestration.dagster_home import dagster_home

AS_OF = "2026-10-12T00:00:00+03:00"
SALWA = [sys.executable, "-m", "orchestration.cli"]
ROOT = Path(__file__).parents[2]


def salwa(data: Path, *arguments: str, key: str = KEY) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH",) if name in os.environ}
    environment = {**kept, "HOME": str(data.parent), "SALWA_DATA": str(data), "SALWA_PHONE_KEY": key}
    return subprocess.run([*SALWA, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def export(folder: Path) -> Path:
    folder.mkdir()
    rows = ["message_id,conversation_id,sent_at,author_type", "1,c,2026-10-05T09:00:00+03:00,customer", "2,c,2026-10-05T09:10:00+03:00,agent"]
    (folder / "messages.csv").write_text("\n".join(rows), encoding="utf-8")
    return folder


def test_a_failing_test_publishes_nothing_and_is_shown(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert salwa(data, "import", "inbox", str(export(tmp_path / "desk"))).returncode == 0
    good = salwa(data, "refresh", "--as-of", AS_OF)
    assert good.returncode == 0, good.stderr
    assert "Published" in good.stdout
    shown = salwa(data, "figures", "--from", "2026-10-05", "--to", "2026-10-05", "--json")
    assert json.loads(shown.stdout)["avg_response_seconds"] == 600
    assert "Data as of 2026-10-12 00:00" in salwa(data, "figures", "--from", "2026-10-05", "--to", "2026-10-05").stdout
    assert "the data runs from 2026-10-05" in salwa(data, "figures", "--from", "2027-01-01", "--to", "2027-01-02").stdout
    assert "Nothing was rejected" in salwa(data, "rejects").stdout
    version = (data / "serving" / CURRENT).readlink()

    with duckdb.connect(str(data / "restricted.duckdb")) as connection:
        connection.execute("update raw_inbox.messages set author_type = 'alien' where message_id = '2'")
    bad = salwa(data, "refresh", "--as-of", AS_OF)
    assert bad.returncode == 2
    assert "nothing was published" in bad.stderr
    assert "accepted_values" in bad.stderr
    assert "Traceback" not in bad.stderr
    assert (data / "serving" / CURRENT).readlink() == version
    again = salwa(data, "figures", "--from", "2026-10-05", "--to", "2026-10-05", "--json")
    assert again.stdout == shown.stdout
    runs = json.loads(salwa(data, "status", "--json").stdout)["runs"]
    assert [run["outcome"] for run in runs] == ["failed", "published"]
    assert "accepted_values" in runs[0]["message"]
    with duckdb.connect(str(data / "serving" / CURRENT), read_only=True) as served:
        told = served.execute("select outcome, message from marts.refresh_runs order by ended_at desc").fetchall()
    assert [outcome for outcome, _ in told] == ["failed", "published"]
    assert "accepted_values" in told[0][1]

    refused = salwa(data, "refresh", key="another-key-0123456789-0123456789")
    assert refused.returncode == 2
    assert "SALWA_PHONE_KEY is not the key" in refused.stderr
    rebuilt = salwa(data, "refresh", "--full", "--as-of", AS_OF)
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert KEY.encode() not in b"".join(path.read_bytes() for path in data.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["import", "whatsapp", "/nowhere/at/all"], "does not exist"),
        (["import", "inbox", "/nowhere/at/all"], "is not a directory"),
        (["figures", "--from", "2026-10-01", "--to", "2026-10-02"], "run `salwa refresh` first"),
        (["rollback"], "run `salwa refresh` first"),
        (["figures", "--from", "yesterday", "--to", "2026-10-02"], "is not a date"),
        (["refresh", "--as-of", "soon"], "is not an instant"),
        (["import", "whatsapp", "x", "--workspace", "other"], "there is default"),
        (["rejects"], "run `salwa refresh` first"),
    ],
)
def test_what_a_person_can_mend_is_one_line(arguments: list[str], says: str, tmp_path: Path) -> None:
    done = salwa(tmp_path / "data", *arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert len([line for line in done.stderr.splitlines() if line.strip()]) == 1


def test_deliveries_of_an_unknown_workspace_are_named(tmp_path: Path) -> None:
    data = tmp_path / "data"
    salwa(data, "import", "inbox", str(export(tmp_path / "desk")))
    (data / "landing" / "default").rename(data / "landing" / "renamed")
    done = salwa(data, "refresh")
    assert done.returncode == 2
    assert "renamed holds deliveries of a workspace that the settings do not name" in done.stderr.replace("\n", " ")


@pytest.mark.parametrize("source", ["whatsapp", "chatwoot", "salla"])
def test_check_tells_a_person_what_is_missing(source: str, tmp_path: Path) -> None:
    done = salwa(tmp_path / "data", "check", source)
    assert done.returncode == 1
    assert done.stderr == ""
    assert f"SALWA_{source.upper()}" in done.stdout
    assert "to do, marked with ✗" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert not (tmp_path / "data").exists()  # looking changes nothing


def test_check_of_what_has_nothing_to_check(tmp_path: Path) -> None:
    done = salwa(tmp_path / "data", "check", "inbox")
    assert done.returncode == 2
    assert "there is whatsapp, chatwoot, salla" in done.stderr


def test_a_misspelt_setting_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "workspaces.toml").write_text('[workspaces.default]\ntimezon = "Asia/Riyadh"\n', encoding="utf-8")
    done = salwa(data, "import", "whatsapp", "x")
    assert done.returncode == 2
    assert "timezon" in done.stderr


def test_a_key_that_could_be_guessed_is_refused(tmp_path: Path) -> None:
    done = salwa(tmp_path / "data", "refresh", key="abc")
    assert done.returncode == 2
    assert "salwa keygen" in done.stderr


def test_without_a_key_nothing_is_built(tmp_path: Path) -> None:
    done = salwa(tmp_path / "data", "refresh", key="")
    assert done.returncode == 2
    assert "salwa keygen" in done.stderr


def test_a_new_key_is_long_and_always_another() -> None:
    first, second = (salwa(Path("/tmp/unused"), "keygen").stdout.strip() for _ in range(2))  # noqa: S108
    assert first != second
    assert len(first) >= 40


def test_dagster_sends_nothing_home(tmp_path: Path, settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "")
    home = dagster_home(settings)
    assert "enabled: false" in (home / "dagster.yaml").read_text()
