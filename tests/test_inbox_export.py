"""A real inbox's export, and small ones with what can be wrong in them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from conftest import SHARED, needs_shared, run_stages

from dashboards.figures import figures
from dashboards.serving import open_serving
from ingestion.errors import SalwaError
from ingestion.inbox import INBOX
from ingestion.inbox.export import import_export
from ingestion.landing import landed_files
from ingestion.loading import batches, parse
from ingestion.settings import Settings


@needs_shared
def test_real_two_party_chats(settings: Settings) -> None:
    import_export(settings.landing, "default", SHARED / "data" / "chitchat_inbox")
    run_stages(settings, "2026-11-22T12:00:00+03:00")
    with open_serving(settings) as connection:
        found = figures(connection, date(2018, 1, 1), date(2018, 12, 31))
    assert found["total_conversations"] == 7168
    assert found["messages"] == 258_145
    assert found["answered_turns"] == 66_853
    assert found["avg_response_seconds"] == Decimal("167.365459")
    assert (found["response_seconds_p50"], found["response_seconds_p90"]) == (28, 114)
    assert found["ended_episodes"] == 7197
    assert found["open_conversations"] == 0


def write(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def parsed_rejects(settings: Settings) -> list[tuple[int, str]]:
    found = []
    for _names, lines in batches(landed_files(settings.landing, "inbox"), settings.landing):
        for table, rows in parse(INBOX, lines):
            if table == "rejects":
                found += [(row["landing_line"], row["reason"]) for row in rows.to_pylist()]
    return sorted(found)


def test_rows_that_cannot_be_read_are_rejects_with_a_reason(settings: Settings, tmp_path: Path) -> None:
    rows = [
        "message_id,conversation_id,sent_at,author_type",
        "1,c,2026-10-05 09:00:00,customer",
        "2,c,05/10/26 9am,customer",
        "3,c,2026-10-05 09:00:00,alien",
        "4,,2026-10-05 09:00:00,customer",
        "5,c,2026-10-05 09:00:00,customer,too many",
        "6,c,1790000000,agent",
    ]
    folder = write(tmp_path / "desk", "messages.csv", "\n".join(rows))
    write(folder, "tag_events.ndjson", '{"conversation_id": "c", "tag": "x", "action": "added", "occurred_at": "2026-10-05"}\n{"cut')
    imported = import_export(settings.landing, "default", folder)
    assert (imported.files, imported.lines) == (2, 8)
    reasons = [reason for _, reason in parsed_rejects(settings)]
    for expected in ("unknown time format: 05/10/26 9am", "unknown author_type: alien", "no conversation_id", "5 fields under 4"):
        assert any(expected in reason for reason in reasons), expected
    assert any("unknown action: added" in reason for reason in reasons)
    assert any("not valid JSON" in reason for reason in reasons)
    assert len(reasons) == 6


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("messages.csv", "message_id,sent_at,author_type\n1,2026-10-05,customer\n", "lacks the column conversation_id"),
        ("messages.ndjson", '{"message_id": "1"}\n', "lacks the column conversation_id, sent_at, author_type"),
        ("messages.parquet", "no parquet", "cannot be read"),
        ("conversations.csv", "conversation_id\nc\n", "holds no messages"),
    ],
)
def test_an_export_that_cannot_be_one_lands_nothing(name: str, text: str, says: str, settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(SalwaError, match=says):
        import_export(settings.landing, "default", write(tmp_path / "desk", name, text))
    assert not [path for path in settings.landing.rglob("*") if path.is_file()]


def test_exports_of_different_inboxes_keep_their_ids_apart(settings: Settings, tmp_path: Path) -> None:
    text = "message_id,conversation_id,sent_at,author_type\n1,c,2026-10-05 09:00:00,customer\n"
    for name in ("north", "south"):
        import_export(settings.landing, "default", write(tmp_path / name, "messages.csv", text))
    again = import_export(settings.landing, "default", tmp_path / "north")
    assert (again.lines, again.known_files) == (0, 1)
    run_stages(settings, "2026-10-12T00:00:00+03:00")
    with open_serving(settings) as connection:
        found = connection.execute("select channel, count(*) from facts.fct_conversations group by 1 order by 1").fetchall()
    assert found == [("north", 1), ("south", 1)]
