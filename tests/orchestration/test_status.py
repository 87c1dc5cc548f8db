"""What `salwa status` says: before anything is published, and that it agrees with the mart after."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from conftest import run_stages, table_rows
from rich.console import Console

from ingestion.erasing.register import want_rebuild
from ingestion.landing import Delivery, LandingWriter
from ingestion.settings import Settings
from ingestion.source_states import attempts_file
from ingestion.state import write_state
from orchestration import console
from orchestration.status import show_status, status_of

NOW = datetime(2026, 10, 2, 12, tzinfo=UTC)


def ago(**past: float) -> str:
    return (NOW - timedelta(**past)).isoformat()


def asked(settings: Settings, source: str, last_success: str | None, *problems: str) -> None:
    told = {"last_attempt": ago(minutes=5), "last_success": last_success, "problems": problems}
    write_state(attempts_file(settings.data, "default", source), told)


def beat(settings: Settings, at: str, **told: object) -> None:
    worker = {"at": at, "landed": {"default/whatsapp": 1234}, "refused": {"whatsapp 401": 3}, **told}
    write_state(settings.data / "state" / "receiver-heartbeat.json", {"workers": {"1": worker}})


def shown(settings: Settings, monkeypatch: pytest.MonkeyPatch, width: int = 80) -> str:
    """What stands in a terminal, its lines joined by one space where they were folded."""
    page = io.StringIO()
    monkeypatch.setattr(console, "out", Console(file=page, width=width, highlight=False))
    show_status(status_of(settings, NOW))
    assert max(map(len, page.getvalue().splitlines())) <= width
    return " ".join(page.getvalue().split())


def test_before_anything_is_published_the_doors_alone_are_shown(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Nothing has been published" in shown(settings, monkeypatch)
    asked(settings, "chatwoot", ago(hours=5), "the token has expired [again]")
    asked(settings, "salla", ago(minutes=6))
    beat(settings, ago(seconds=8))
    text = shown(settings, monkeypatch)
    assert "chatwoot 5 h ago" in text
    assert "salla 6 min ago" in text
    assert "Receiver: alive, 1 worker, heard 8 s ago · landed 1,234 · refused 3 (whatsapp 401: 3)" in text
    assert "chatwoot: not everything since 2026-10-02 10:00 Asia/Riyadh (the token has expired [again]); `salwa check chatwoot`" in text
    assert text.count("! ") == 1


def test_a_receiver_that_is_gone_is_the_first_thing_to_do(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    beat(settings, ago(minutes=20))
    assert "To do ! the receiver is silent since 2026-10-02 14:40 Asia/Riyadh" in shown(settings, monkeypatch)
    beat(settings, ago(minutes=20), stopped_at=ago(minutes=20))
    assert "Receiver: stopped for 20 min" in shown(settings, monkeypatch)
    (settings.data / "state" / "receiver-heartbeat.json").unlink()
    assert "Receiver" not in shown(settings, monkeypatch)
    wanted = settings.model_copy(update={"salla_webhook_secret": "secret"})
    assert "Receiver: not started yet" in shown(wanted, monkeypatch)


def land_inbox(settings: Settings, all_count: int) -> None:
    """Two conversations, one of them closed, and what the inbox counts."""
    rows = [
        {"id": n, "status": status, "created_at": NOW.timestamp() - 9000, "updated_at": NOW.timestamp() - 8000 + n}
        for n, status in ((1, "open"), (2, "resolved"))
    ]
    answers = {
        "GET /conversations?status=all&page=1": {"data": {"meta": {}, "payload": rows}},
        "GET /conversations/meta?status=all": {"meta": {"all_count": all_count}},
        "GET /conversations/meta?status=open": {"meta": {"all_count": 1}},
    }
    with LandingWriter(settings.landing, "default", "chatwoot", "pull-1") as writer:
        for kind, body in answers.items():
            writer.append(Delivery(json.dumps(body).encode(), kind, ago(hours=1), "3"))


def test_the_page_agrees_with_the_mart_and_names_what_is_missing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    land_inbox(settings, all_count=4)
    asked(settings, "chatwoot", ago(hours=3, seconds=1))
    asked(settings, "salla", None, "no tokens")
    run_stages(settings, NOW, with_data_tests=False)
    found = status_of(settings, NOW)
    doors = ("source", "workspace", "success_basis", "last_attempt_at", "last_success_at", "is_stale", "stale_since", "problem")
    with_mart = [tuple(row[name] for name in doors) for row in found["sources"]]
    assert sorted(with_mart, key=str) == sorted(table_rows(settings, f"(select {', '.join(doors)} from marts.mart_data_health)"), key=str)
    assert [row["is_stale"] for row in found["sources"]] == [True, True]

    text = shown(settings, monkeypatch)
    assert "conversations: the inbox says 4, we have 2 (2026-10-02 14:00 Asia/Riyadh); the nightly run asks" in text
    assert "✗ 1 of 2" in text
    assert "salla: has never told everything yet (no tokens); `salwa check salla`" in text
    assert "2026-10-02" in shown(settings, monkeypatch, 120)


def test_a_gap_before_the_receiver_and_a_rebuild_that_is_wanted_are_said(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = {"workspace": "default", "source": "whatsapp", "gap_from_at": NOW - timedelta(days=9), "gap_to_at": NOW - timedelta(days=2)}
    monkeypatch.setattr("orchestration.status.served_health", lambda _: ([row | {"as_of": NOW}], [], None))
    beat(settings, ago(seconds=8))
    text = shown(settings, monkeypatch)
    assert (
        "whatsapp: nothing is known between 2026-09-23 15:00 Asia/Riyadh, where the import ends, and 2026-09-30 15:00 Asia/Riyadh, "
        "when the receiver began"
    ) in text
    assert "erased" not in text
    want_rebuild(settings)
    assert "To do ! somebody was erased" in shown(settings, monkeypatch)
