"""The reference's payloads posted through the receiver give the facts and marts that they give when imported."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from conftest import SHARED, needs_shared, run_stages, served_tables, table_rows

from ingestion.importing import import_archives
from ingestion.settings import Settings

sys.path.insert(0, str(Path(__file__).parent / "ingestion"))
from receiver_process import SECRETS, landed_lines, post, started

SOURCES = ("whatsapp", "chatwoot", "salla")
PULLED_AT = "2026-10-01T12:00:00+00:00"
# a fact or mart that the samples fill is not empty by accident
# these tell how a source is reached, and one of the two shops has a receiver
OF_THE_DOORS = {"facts.fct_source_states", "marts.mart_data_health"}
FILLED = {
    "facts.fct_messages": 40,
    "facts.fct_conversations": 4,
    "facts.fct_turns": 3,
    "facts.fct_tags": 3,
    "facts.fct_orders": 3,
    "facts.fct_carts": 1,
    "marts.mart_daily_metrics": 5,
    "marts.mart_data_health": 3,
}


def line(received_at: str, kind: str, text: str) -> str:
    return f'{{"received_at":"{received_at}","kind":"{kind}","body":{text}}}\n'


def land(settings: Settings, folder: Path, source: str, lines: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{source}.ndjson"
    path.write_text("".join(lines), encoding="utf-8")
    import_archives(settings.landing, "default", source, [path])


@needs_shared
def test_samples_received_are_samples_imported(tmp_path: Path, settings: Settings) -> None:
    """Webhooks: received by one, imported by the other, as they were before any token was taken out. The APIs' answers,
    which no receiver takes, are imported by both, so that all facts are there."""
    received = settings
    imported = settings.model_copy(update={"data": tmp_path / "imported"})
    kinds = json.loads((SHARED / "samples/kinds.json").read_text())
    webhooks: dict[str, list[str]] = {source: [] for source in SOURCES}
    answers: dict[str, list[str]] = {source: [] for source in SOURCES}
    for name, kind in kinds.items():
        if name.split("/")[0] not in SOURCES:  # vendors whose data has no door here
            continue
        text = json.dumps(json.loads((SHARED / "samples" / name).read_bytes()), ensure_ascii=False)
        if kind == "webhook":
            webhooks[name.split("/")[0]].append(text)
        else:
            answers[name.split("/")[0]].append(line(PULLED_AT, kind, text))
    assert all(webhooks.values())

    receiver = started(received.data)
    for source, texts in webhooks.items():
        assert [post(receiver.port, source, text.encode()) for text in texts] == [200] * len(texts)
    assert receiver.stop() == 0
    assert set(SECRETS.values()).isdisjoint(receiver.said().split())
    for source, texts in webhooks.items():
        landed = landed_lines(received.landing, source)
        assert len(landed) == len(texts)
        told = [line(one["received_at"], "webhook", text) for one, text in zip(landed, texts, strict=True)]
        land(imported, tmp_path / "webhooks", source, told)
        for settings_of_one in (received, imported):
            land(settings_of_one, tmp_path / "answers", source, answers[source])

    as_of = datetime.now(UTC)
    tables = {}
    for one in (received, imported):
        run_stages(one, as_of, with_data_tests=False)
        tables[one.data.name] = {table: table_rows(one, table) for table in served_tables(one)} | rejects(one)
    of_received, of_imported = tables.values()
    assert of_received.keys() == of_imported.keys()
    for table, rows in of_imported.items():
        if table not in OF_THE_DOORS:
            assert without_gaps(table, of_received[table]) == without_gaps(table, rows), table
    counts = {table: len(of_received[table]) for table in FILLED}
    assert {table: count for table, count in counts.items() if count < FILLED[table]} == {}, counts


def without_gaps(table: str, rows: list[tuple]) -> list[tuple]:
    """Only what came through the receiver can have a gap before it: the last two columns of the loads."""
    return [row[:-2] for row in rows] if table == "facts.fct_source_loads" else rows


def rejects(settings: Settings) -> dict[str, list[tuple]]:
    """What could not be read, without where it stands."""
    with duckdb.connect(str(settings.restricted), read_only=True) as connection:
        rows = connection.execute("select source, item_path, reason from intermediate.int_rejects order by all").fetchall()
    return {"rejects": rows}
