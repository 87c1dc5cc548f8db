"""Loading is safe to repeat and safe to kill."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest
from conftest import KEY

from ingestion.importing import import_archives
from ingestion.loading import load, loaded_files, sources
from ingestion.settings import Settings
from ingestion.whatsapp import WHATSAPP

ROOT = Path(__file__).parents[2]
LOAD = """
import sys
from pathlib import Path
from ingestion.loading import load
from ingestion.settings import Settings
from ingestion.whatsapp import WHATSAPP
load(Settings(data=Path(sys.argv[1]), phone_key="k"), WHATSAPP)
"""


def archive(folder: Path, files: int, per_file: int) -> Path:
    folder.mkdir()
    for number in range(files):
        lines = []
        for n in range(per_file):
            item = {"id": f"wamid.{number}.{n}", "timestamp": "1790000000", "type": "text", "from": "966500000001"}
            value = {"metadata": {"phone_number_id": "8"}, "messages": [item]}
            lines.append(json.dumps({"entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}]}))
        (folder / f"{number}.ndjson").write_text("\n".join(lines), encoding="utf-8")
    return folder


def raw_counts(settings: Settings) -> dict[str, int]:
    with duckdb.connect(str(settings.restricted), read_only=True) as connection:
        return {
            table: connection.execute(f"select count(*) from raw_whatsapp.{table}").fetchone()[0]
            for table in ("messages", "landed_lines", "landed_files", "rejects")
        }


def test_a_second_load_has_nothing_to_do(settings: Settings, tmp_path: Path) -> None:
    import_archives(settings.landing, "default", "whatsapp", [archive(tmp_path / "in", 3, 10)])
    assert load(settings, WHATSAPP).files == 3
    assert load(settings, WHATSAPP).files == 0
    assert raw_counts(settings) == {"messages": 30, "landed_lines": 30, "landed_files": 3, "rejects": 0}


def test_an_empty_landing_makes_every_table(settings: Settings) -> None:
    settings.data.mkdir()
    for source in sources():
        load(settings, source)
    with duckdb.connect(str(settings.restricted), read_only=True) as connection:
        found = {row[0] for row in connection.execute("select table_schema || '.' || table_name from information_schema.tables").fetchall()}
    for source in sources():
        assert {f"raw_{source.name}.{table}" for table in (*source.tables, "rejects", "landed_lines", "landed_files")} <= found


def test_killed_at_any_moment_it_goes_on_to_the_same_rows(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data", phone_key=KEY)  # type: ignore[arg-type]
    import_archives(settings.landing, "default", "whatsapp", [archive(tmp_path / "in", 40, 200)])
    rng = random.Random(11)
    killed = 0
    for pause in (0.3, *(rng.uniform(1.0, 3.5) for _ in range(7))):
        child = subprocess.Popen([sys.executable, "-c", LOAD, str(settings.data)], cwd=ROOT)
        time.sleep(pause)
        if child.poll() is None:
            child.send_signal(signal.SIGKILL)
            killed += 1
        child.wait()
    if not killed:
        pytest.fail("no load was killed: give the children more to do")
    load(settings, WHATSAPP)
    assert raw_counts(settings) == {"messages": 8000, "landed_lines": 8000, "landed_files": 40, "rejects": 0}
    assert len(loaded_files(settings, WHATSAPP) or ()) == 40
