"""The Refresh button: a signed link, one run at a time, at most one a minute, and what the reader is told."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import uvicorn
from conftest import KEY, run_stages
from starlette.applications import Starlette

from dashboards.figures import figures
from dashboards.refresh_link import refresh_url
from dashboards.serving import open_serving
from ingestion.inbox.export import import_export
from ingestion.settings import Settings
from ingestion.state import read_state
from orchestration import button
from orchestration.refresh_page import routes

DAY = date(2026, 10, 5)
BACK = "https://metabase.example.test/dashboard/7"


@pytest.fixture
def shop(settings: Settings) -> Settings:
    settings.data.mkdir()
    return settings.model_copy(
        update={
            "refresh_secret": Settings(refresh_secret="a-secret").refresh_secret,
            "public_url": "https://hooks.example.test/",
        }
    )


@contextmanager
def page_of(settings: Settings) -> Iterator[Callable[[str, str], tuple[int, str]]]:
    """The pages behind a real server; asks with a method and a path, answers with status and text."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes(settings)), log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()

    def ask(method: str, path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request(method, path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    try:
        yield ask
    finally:
        server.should_exit = True
        thread.join(10)


def link(settings: Settings, language: str = "en") -> str:
    address = urlsplit(refresh_url(settings, language, BACK) or "")
    return f"{address.path}?{address.query}"


@pytest.fixture
def slow_run(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Runs that only hold the lock for a while, counted."""
    started: list[int] = []

    def start(settings: Settings, lock: int) -> None:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1.5)"], pass_fds=(lock,))
        started.append(child.pid)

    monkeypatch.setattr(button, "start", start)
    return started


def test_ten_presses_at_once_make_one_run_and_the_next_waits_a_minute(shop: Settings, slow_run: list[int]) -> None:
    with ThreadPoolExecutor(10) as readers:
        told = list(readers.map(lambda _: button.press(shop), range(10)))
    assert told == ["updating"] * 10
    assert len(slow_run) == 1
    assert button.state_of(shop) == "updating"

    os.waitpid(slow_run[0], 0)
    assert button.state_of(shop) == "failed"  # it ended without a word, as if killed
    assert button.press(shop) == "failed"
    assert len(slow_run) == 1
    assert button.press(shop, datetime.now(UTC) + timedelta(seconds=61)) == "updating"
    assert len(slow_run) == 2


@pytest.mark.parametrize(
    ("part", "other"),
    [("sig=", "sig=0"), ("lang=en", "lang=ar"), ("metabase.example.test", "evil.example.test"), ("lang=en", "lang=xx")],
)
def test_a_forged_link_is_refused_and_starts_nothing(part: str, other: str, shop: Settings, slow_run: list[int]) -> None:
    forged = link(shop).replace(part, other)
    assert forged != link(shop)
    with page_of(shop) as ask:
        for path in (forged, forged.replace("/refresh?", "/refresh/status?")):
            assert ask("GET", path)[0] == 403
            assert ask("POST", path)[0] == 403
    assert slow_run == []


def test_opening_the_link_starts_nothing(shop: Settings, slow_run: list[int]) -> None:
    with page_of(shop) as ask:
        status, page = ask("GET", link(shop, "ar"))
        assert status == 200
        assert 'dir="rtl"' in page
        assert BACK in page
        assert slow_run == []
        assert ask("POST", link(shop))[0] == 200
        assert len(slow_run) == 1


def test_without_a_secret_the_page_is_closed(settings: Settings) -> None:
    assert refresh_url(settings, "en") is None
    with page_of(settings) as ask:
        assert ask("GET", "/refresh?lang=en&back=&sig=")[0] == 503


def test_a_press_after_a_delivery_changes_the_figure(shop: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALWA_PHONE_KEY", KEY)
    rows = ["message_id,conversation_id,sent_at,author_type", "1,c,2026-10-05T09:00:00+03:00,customer"]
    import_messages(shop, tmp_path / "first", rows)
    run_stages(shop, "2026-10-06T00:00:00+03:00", with_data_tests=False)
    import_messages(shop, tmp_path / "second", [rows[0], "2,d,2026-10-05T10:00:00+03:00,customer"])

    status = link(shop).replace("/refresh?", "/refresh/status?")
    with page_of(shop) as ask:
        told = json.loads(ask("POST", status)[1])
        until = time.monotonic() + 300
        while told["state"] == "updating" and time.monotonic() < until:
            time.sleep(0.5)
            told = json.loads(ask("GET", status)[1])

    assert told["state"] == "updated", read_state(button.state_file(shop))
    assert "Data as of" in told["text"]
    with open_serving(shop) as connection:
        assert figures(connection, DAY, DAY)["total_conversations"] == 2


def import_messages(settings: Settings, folder: Path, rows: list[str]) -> None:
    folder.mkdir()
    (folder / "messages.csv").write_text("\n".join(rows), encoding="utf-8")
    import_export(settings.landing, "default", folder, "desk")
