"""Loading is safe to repeat and safe to kill."""

from __future__ import annotations

import gzip
import json
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from conftest import KEY

from ingestion.errors import SalwaError
from ingestion.importing import import_archives
from ingestion.landing import Delivery, landed_line
from ingestion.loading import known_rows, load, loaded_files, sources, split_lines, text_array, text_of, text_or_none
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

DIE_AFTER_TABLES = """
import os, signal, threading
from dlt.destinations.impl.duckdb.duck import DuckDbCopyJob
run, lock, tables = DuckDbCopyJob.run, threading.Lock(), []
def run_and_die(self):
    with lock:
        run(self)
        tables.append(self)
        if len(tables) == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
DuckDbCopyJob.run = run_and_die
"""


def delivery_of(wamid: str) -> str:
    item = {"id": wamid, "timestamp": "1790000000", "type": "text", "from": "966500000001"}
    value = {"metadata": {"phone_number_id": "8"}, "messages": [item]}
    return json.dumps({"entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}]})


def archive(folder: Path, files: int, per_file: int, first: int = 0) -> Path:
    folder.mkdir()
    for number in range(first, first + files):
        lines = []
        for n in range(per_file):
            lines.append(delivery_of(f"wamid.{number}.{n}"))
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


@pytest.mark.parametrize("tables", [1, 2])
def test_what_a_killed_load_appended_is_not_doubled(tables: int, settings: Settings, tmp_path: Path) -> None:
    import_archives(settings.landing, "default", "whatsapp", [archive(tmp_path / "before", 2, 50)])
    load(settings, WHATSAPP)
    import_archives(settings.landing, "default", "whatsapp", [archive(tmp_path / "after", 2, 50, first=2)])

    head, body = LOAD.split("load(Settings")
    code = f"{head}{DIE_AFTER_TABLES}load(Settings{body}"
    child = subprocess.run([sys.executable, "-c", code, str(settings.data), str(tables)], cwd=ROOT, check=False)
    assert child.returncode == -signal.SIGKILL
    left = raw_counts(settings)
    assert sum(left.values()) > 100 + 100 + 2, "the killed load left nothing, so that this shows nothing"

    load(settings, WHATSAPP)
    assert raw_counts(settings) == {"messages": 200, "landed_lines": 200, "landed_files": 4, "rejects": 0}


def test_rows_are_appended_only_where_the_last_load_left_the_tables_so(settings: Settings, tmp_path: Path) -> None:
    import_archives(settings.landing, "default", "whatsapp", [archive(tmp_path / "in", 2, 10)])
    load(settings, WHATSAPP)
    with known_rows(settings, WHATSAPP) as is_known:
        assert is_known

    # somebody has a file loaded again: its rows are there, and the register does not say so
    with duckdb.connect(str(settings.restricted)) as connection:
        connection.execute("delete from raw_whatsapp.landed_files where landing_file = (select min(landing_file) from raw_whatsapp.landed_files)")
    assert load(settings, WHATSAPP).files == 1
    assert raw_counts(settings) == {"messages": 20, "landed_lines": 20, "landed_files": 2, "rejects": 0}

    with suppress(ZeroDivisionError), known_rows(settings, WHATSAPP) as is_known:
        assert is_known
        raise ZeroDivisionError
    with known_rows(settings, WHATSAPP) as is_known:
        assert not is_known


def test_lines_are_split_and_read_exactly() -> None:
    for text in (b"", b"\n", b"a", b"a\n", b"a\nb", b"\n\n", b"a\n\nb\r\n", b"\xff\n\xd8\xa7\n"):
        lines = text.split(b"\n")
        expected = [text_or_none(line) for line in (lines[:-1] if lines[-1] == b"" else lines)]
        assert text_array(split_lines(pa.py_buffer(text))).to_pylist() == expected


def test_packed_files_are_read_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson.gz"
    parts = [b"one\n" * 5000, b"two\n", b"three\n" * 9000]
    whole = b"".join(gzip.compress(part) for part in parts)
    path.write_bytes(whole)
    assert text_of(path).to_pybytes() == b"".join(parts)
    path.write_bytes(gzip.compress(b""))
    assert text_of(path).to_pybytes() == b""
    for damaged in (whole[:-1], whole[:-9], gzip.compress(parts[0])[:-30], whole[:20] + b"xxxx" + whole[24:], b"not gzip"):
        path.write_bytes(damaged)
        with pytest.raises(SalwaError, match="is damaged"):
            text_of(path)


def test_one_damaged_line_costs_no_other(settings: Settings) -> None:
    good = landed_line(Delivery(delivery_of("wamid.1").encode()))
    folder = settings.landing / "default" / "whatsapp" / "2026-11-01"
    folder.mkdir(parents=True)
    (folder / "a.ndjson").write_bytes(b"\n".join([good, good[:50], b"", b"\xff", b"[]", good]))
    load(settings, WHATSAPP)
    assert raw_counts(settings) == {"messages": 2, "landed_lines": 6, "landed_files": 1, "rejects": 4}
    with duckdb.connect(str(settings.restricted), read_only=True) as connection:
        reasons = dict(connection.execute("select landing_line, reason from raw_whatsapp.rejects").fetchall())
    assert {line for line, reason in reasons.items() if "not valid JSON" in reason} == {2, 3, 4}
    assert "no body" in reasons[5]
