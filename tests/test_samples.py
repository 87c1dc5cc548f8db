"""Every composed payload of the reference: all of it lands, loads and adds up; nothing secret or personal gets out."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import duckdb
import pytest
from conftest import KEY, SHARED, needs_shared, run_stages

from dashboards.serving import CURRENT, open_serving
from ingestion.importing import import_archives
from ingestion.landing import landed_files, read_lines
from ingestion.settings import Settings

SECRETS = ("ory_at_FICTIONAL", "ory_rt_FICTIONAL")
UNLANDED = "POST /oauth2/token"


def sample_lines(source: str) -> list[dict]:
    kinds = json.loads((SHARED / "samples" / "kinds.json").read_text())
    return [
        {
            "received_at": "2026-10-01T12:00:00+00:00",
            "kind": kind,
            "body": json.loads((SHARED / "samples" / path).read_text()),
        }
        for path, kind in kinds.items()
        if path.startswith(f"{source}/")
    ]


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, dict[str, list[dict]]]:
    folder = tmp_path_factory.mktemp("samples")
    settings = Settings(data=folder / "data", phone_key=KEY)  # type: ignore[arg-type]
    samples = {source: sample_lines(source) for source in ("whatsapp", "chatwoot", "salla")}
    for source, lines in samples.items():
        path = folder / f"{source}.ndjson"
        path.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), encoding="utf-8")
        import_archives(settings.landing, "default", source, [path])
    run_stages(settings, "2026-11-22T00:00:00+03:00")
    return settings, samples


@needs_shared
def test_every_line_is_typed_or_rejected_and_the_counts_add_up(landed) -> None:
    settings, samples = landed
    with open_serving(settings) as connection:
        health = {
            source: counts
            for source, *counts in connection.execute(
                "select source, landed_lines, loaded_lines, rejected_lines from marts.mart_data_health"
            ).fetchall()
        }
    for source, lines in samples.items():
        expected = sum(line["kind"] != UNLANDED for line in lines)
        landed_lines, loaded, rejected = health[source]
        assert landed_lines == expected
        assert loaded + rejected == expected
        assert rejected == 0, reasons(settings, source)
        assert lines_without_rows(settings, source) == []


def reasons(settings: Settings, source: str) -> list[tuple]:
    with duckdb.connect(str(settings.restricted), read_only=True) as connection:
        return connection.execute(f"select * from raw_{source}.rejects").fetchall()


def lines_without_rows(settings: Settings, source: str) -> list[int]:
    """Landed lines that no typed row and no reject points at."""
    with duckdb.connect(str(settings.restricted), read_only=True) as connection:
        tables = [
            name
            for (name,) in connection.execute(
                "select table_name from information_schema.columns where table_schema = ? and column_name = 'landing_line' "
                "and table_name <> 'landed_lines'",
                [f"raw_{source}"],
            ).fetchall()
        ]
        told = " union ".join(f"select landing_file, landing_line from raw_{source}.{table}" for table in tables)
        rows = connection.execute(
            f"select landing_line from (select landing_file, landing_line from raw_{source}.landed_lines except ({told}))"
        ).fetchall()
    return [line for (line,) in rows]


@needs_shared
def test_no_token_is_anywhere(landed) -> None:
    settings, samples = landed
    assert any(SECRETS[0] in json.dumps(line) for line in samples["salla"])
    files = [path for path in settings.data.rglob("*") if path.is_file() and not path.is_symlink()]
    assert len(files) > 10
    for path in files:
        content = path.read_bytes()
        if path.name.endswith(".gz"):
            content = b"\n".join(read_lines(path))
        for secret in SECRETS:
            assert secret.encode() not in content, path


@needs_shared
def test_no_phone_number_is_served(landed) -> None:
    settings, _ = landed
    phone = re.compile(r"(?:9665\d{8}|96611\d{7}|\b05\d{8}|9715\d{8}|\b5\d{8}\b)")
    all_landed = b"".join(b"".join(read_lines(p)) for s in ("whatsapp", "chatwoot", "salla") for p in landed_files(settings.landing, s))
    numbers = set(phone.findall(all_landed.decode()))
    numbers -= own_numbers(settings)
    assert len(numbers) > 5
    served = (settings.serving / CURRENT).resolve()
    content = served.read_bytes().decode("latin-1")
    for number in numbers:
        assert number not in content
    for piece in set(re.findall(r"[A-Za-z0-9+/_-]{16,}={0,2}", content)):
        assert not holds(decoded(piece), numbers), piece


def own_numbers(settings: Settings) -> set[str]:
    """The business's own numbers, which name its channels."""
    with open_serving(settings) as connection:
        found = connection.execute("select phone_number from facts.dim_channels where phone_number is not null").fetchall()
    assert found
    return {number for (number,) in found}


def decoded(piece: str) -> str:
    try:
        return base64.urlsafe_b64decode(piece + "=" * (-len(piece) % 4)).decode("latin-1")
    except ValueError:
        return ""


def holds(text: str, numbers: set[str]) -> bool:
    return any(number in text for number in numbers)


@needs_shared
def test_what_is_served_can_be_traced_to_file_and_line(landed) -> None:
    settings, _ = landed
    with duckdb.connect(str(settings.restricted), read_only=True) as connection:
        connection.execute(f"attach '{settings.warehouse}' as warehouse (read_only)")
        rows = connection.execute(
            "select m.landing_file, m.landing_line, m.wamid from warehouse.facts.fct_messages as f "
            "inner join intermediate.int_messages as m using (message_id) where f.source = 'whatsapp'"
        ).fetchall()
    assert len(rows) > 20
    for file, line, wamid in rows:
        text = read_lines(Path(settings.landing) / file)[line - 1].decode()
        assert wamid in text
