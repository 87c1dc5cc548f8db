"""The log of restatements: what changed of days that readers had seen finished."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

from conftest import run_stages, table_rows

from dashboards.serving.restatements import restated
from ingestion.inbox.export import import_export
from ingestion.settings import Settings

NOW = datetime(2026, 5, 14, tzinfo=UTC)
HEADER = "message_id,conversation_id,sent_at,author_type"


def test_only_days_that_were_over_and_channels_that_were_there() -> None:
    before = {("w", "c", date(2026, 5, 10)): (2, 9, 1), ("w", "c", date(2026, 5, 12)): (4, 8, 3)}
    after = {
        ("w", "c", date(2026, 5, 9)): (1, 1, 0),  # a day without anything before
        ("w", "c", date(2026, 5, 10)): (2, 9, 1),
        ("w", "c", date(2026, 5, 12)): (7, 10, 3),
        ("w", "c", date(2026, 5, 13)): (5, 5, 5),  # was not over
        ("w", "new", date(2026, 5, 10)): (3, 3, 3),
    }
    assert list(restated(before, after, NOW)) == [
        (NOW, "w", "c", date(2026, 5, 12), "total_conversations", 4, 7),
        (NOW, "w", "c", date(2026, 5, 12), "messages", 8, 10),
        (NOW, "w", "c", date(2026, 5, 9), "total_conversations", 0, 1),
        (NOW, "w", "c", date(2026, 5, 9), "messages", 0, 1),
    ]
    gone = list(restated(before, {}, NOW))
    assert {(row[3], row[6]) for row in gone} == {(date(2026, 5, 10), 0), (date(2026, 5, 12), 0)}


def test_a_late_message_is_told_once_and_the_log_goes_on(settings: Settings, tmp_path: Path) -> None:
    on_time = [HEADER, "1,c,2026-05-12T09:00:00+03:00,customer", "2,c,2026-05-13T09:00:00+03:00,customer"]
    land(settings, tmp_path / "a", on_time)
    run_stages(settings, "2026-05-13T12:00:00+03:00", with_data_tests=False)
    assert table_rows(settings, "marts.restatements") == []

    land(settings, tmp_path / "b", [HEADER, "3,d,2026-05-12T10:00:00+03:00,customer", "4,c,2026-05-13T10:00:00+03:00,agent"])
    run_stages(settings, "2026-05-14T12:00:00+03:00", with_data_tests=False)
    told = table_rows(settings, "marts.restatements")
    # the 13th was not over when it was first published
    assert {row[3:] for row in told} == {
        (date(2026, 5, 12), "messages", 1, 2),
        (date(2026, 5, 12), "total_conversations", 1, 2),
    }
    run_stages(settings, "2026-05-15T12:00:00+03:00", with_data_tests=False)
    assert table_rows(settings, "marts.restatements") == told


def land(settings: Settings, folder: Path, rows: list[str]) -> None:
    folder.mkdir()
    (folder / "messages.csv").write_text("\n".join(rows), encoding="utf-8")
    import_export(settings.landing, "default", folder, "desk")
