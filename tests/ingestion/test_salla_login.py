"""The log-in of custom mode: by the browser or by pasting, for this workspace's store only, and no secret is shown."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from urllib.parse import parse_qs, urlsplit

import pytest
from fakes.salla import MERCHANT, NOW, FakeClock, FakeSalla

from ingestion.errors import SalwaError
from ingestion.http import SourceRefused
from ingestion.salla import login, tokens
from ingestion.salla.login import NotTheAnswer, code_of, log_in
from ingestion.salla.tokens import connection, secrets_file, store_tokens
from ingestion.settings import Settings

ROOT = Path(__file__).parents[2]
BACK = "https://shop.example.com/back"
STATE = "0123456789abcdef"


@pytest.fixture
def salla() -> FakeSalla:
    return FakeSalla(FakeClock(NOW))


@pytest.fixture
def shop(tmp_path: Path, salla: FakeSalla) -> Iterator[Settings]:
    """Settings without tokens."""
    with salla.serving() as url:
        yield Settings(
            data=tmp_path / "data",
            salla_api=f"{url}/admin/v2",
            salla_accounts=url,
            salla_client_id="client-id",
            salla_client_secret="client-secret",  # type: ignore[arg-type]
        )


class Person:
    """Reads what the command says, and pastes what `answers` gives for the state in the address."""

    def __init__(self, *answers: str) -> None:
        self.answers = answers
        self.said: list[str] = []
        read, self.write = os.pipe()
        self.typed: IO[str] = os.fdopen(read, encoding="utf-8")
        self.state = ""

    def say(self, text: str) -> None:
        self.said.append(text)
        if "/oauth2/auth?" in text:
            query = parse_qs(urlsplit(text.strip()).query)
            self.state = query["state"][0]
            for answer in self.answers:
                os.write(self.write, answer.replace("STATE", self.state).encode())
            os.close(self.write)

    @property
    def heard(self) -> str:
        return "\n".join(self.said)


def logged_in(settings: Settings, *answers: str, redirect: str = BACK, patience: float = 20) -> tuple[str, Person]:
    person = Person(*answers)
    return log_in(settings, "default", redirect, person.say, person.typed, patience), person


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def test_a_pasted_address(shop: Settings, salla: FakeSalla) -> None:
    store, person = logged_in(shop, f"\n  {BACK}?code=good-code&scope=x&state=STATE \n")
    assert store == str(MERCHANT)
    kept = json.loads(secrets_file(shop, "default").read_text())
    assert kept["merchant"] == str(MERCHANT)
    assert kept["access_token"] in salla.access
    assert kept["refresh_token"] in salla.refresh
    asked = parse_qs(urlsplit(person.said[1].strip()).query)
    assert "offline_access" in asked["scope"][0].split()
    assert not [scope for scope in asked["scope"][0].split() if "write" in scope]
    assert asked["redirect_uri"] == [BACK]
    assert re.fullmatch("[0-9a-f]{48}", asked["state"][0])  # a hyphen would be lost on the way
    for secret in ("client-secret", "SECRET", "good-code"):
        assert secret not in person.heard


def test_an_address_without_a_line_end_counts_at_the_end(shop: Settings) -> None:
    assert logged_in(shop, f"{BACK}?code=good-code&sta", "te=STATE")[0] == str(MERCHANT)


def test_what_is_not_the_answer_is_said_and_waited_on(shop: Settings) -> None:
    wrong = (
        "hello\n",
        "https://[\n",
        f"{BACK}?state=STATE\n",
        f"{BACK}?code=good-code\n",
        f"{BACK}?code=evil-code&state=another\n",
        f"{BACK}?code=evil-code&state=\u0661\n",
        f"{BACK}?code=evil-code&state=STATE&state=STATE\n",
        f"{BACK}?code=&state=STATE\n",
        "\x00\udcff\n".encode("utf-8", "surrogateescape").decode("latin-1"),
    )
    store, person = logged_in(shop, *wrong, f"{BACK}?code=good-code&state=STATE\n")
    assert store == str(MERCHANT)
    assert person.heard.count("another log-in") == 4
    assert "evil" not in person.heard


@pytest.mark.parametrize("answers", [(), ("hello\n",), (f"{BACK}?code=good-code&state=wrong\n",)])
def test_nobody_can_bring_a_code_any_more(shop: Settings, answers: tuple[str, ...]) -> None:
    with pytest.raises(SalwaError, match="nothing was stored"):
        logged_in(shop, *answers)
    assert connection(shop, "default") is None


def test_the_merchant_does_not_agree(shop: Settings) -> None:
    with pytest.raises(SalwaError, match=r"access_denied The owner\[2J said no\. Nothing was stored"):
        logged_in(shop, f"{BACK}?error=access_denied&error_description=The+owner%1b%5B2J+said+no&state=STATE\n")
    assert connection(shop, "default") is None


def test_an_expired_code(shop: Settings) -> None:
    with pytest.raises(SourceRefused, match="only for minutes; log in again"):
        logged_in(shop, f"{BACK}?code=old-code&state=STATE\n")
    assert connection(shop, "default") is None


def test_a_wrong_client(shop: Settings) -> None:
    wrong = shop.model_copy(update={"salla_client_secret": type(shop.salla_client_secret)("wrong")})  # type: ignore[misc]
    with pytest.raises(SourceRefused, match="SALWA_SALLA_CLIENT_SECRET"):
        logged_in(wrong, f"{BACK}?code=good-code&state=STATE\n")


def test_without_a_client_nobody_is_sent_anywhere(shop: Settings) -> None:
    person = Person()
    with pytest.raises(SalwaError, match="SALWA_SALLA_CLIENT_ID"):
        log_in(shop.model_copy(update={"salla_client_id": None}), "default", BACK, person.say, person.typed)
    assert person.said == []


def test_another_store(shop: Settings, salla: FakeSalla) -> None:
    store_tokens(shop, "default", 42, salla.install(), NOW)
    before = secrets_file(shop, "default").read_bytes()
    with pytest.raises(SalwaError, match=f"belongs to Salla store 42, but store {MERCHANT}"):
        logged_in(shop, f"{BACK}?code=good-code&state=STATE\n")
    assert secrets_file(shop, "default").read_bytes() == before


def test_a_store_that_is_another_workspace(shop: Settings, salla: FakeSalla) -> None:
    shop.data.mkdir()
    (shop.data / "workspaces.toml").write_text("[workspaces.default]\n[workspaces.paris]\n")
    store_tokens(shop, "paris", MERCHANT, salla.install(), NOW)
    with pytest.raises(SalwaError, match="is workspace paris already"):
        logged_in(shop, f"{BACK}?code=good-code&state=STATE\n")
    assert connection(shop, "default") is None


def test_the_store_is_told_in_another_place(shop: Settings, salla: FakeSalla) -> None:
    """user/info with an envelope, or not at all: then store/info says it; where neither does, nothing is stored."""
    told = {"/oauth2/user/info": (404, {}, {})}
    handle = salla.handle
    salla.handle = lambda method, target, *rest: told.get(target) or handle(method, target, *rest)  # type: ignore[method-assign]
    assert logged_in(shop, f"{BACK}?code=good-code&state=STATE\n")[0] == str(MERCHANT)
    told["/oauth2/user/info"] = (200, {}, {"data": {"id": 1, "merchant": {"id": 5}}})  # type: ignore[assignment]
    with pytest.raises(SalwaError, match="but store 5"):
        logged_in(shop, f"{BACK}?code=good-code&state=STATE\n")
    secrets_file(shop, "default").unlink()
    told.update(dict.fromkeys(["/oauth2/user/info", "/admin/v2/store/info"], (404, {}, {})))
    with pytest.raises(SalwaError, match="does not say which store"):
        logged_in(shop, f"{BACK}?code=good-code&state=STATE\n")
    assert connection(shop, "default") is None


def test_a_new_log_in_mends_a_broken_connection(shop: Settings, salla: FakeSalla) -> None:
    store_tokens(shop, "default", MERCHANT, salla.install(), NOW)
    path = secrets_file(shop, "default")
    path.write_text(json.dumps({**json.loads(path.read_text()), "broken": "it ended", "refreshing_since": 1.0}))
    logged_in(shop, f"{BACK}?code=good-code&state=STATE\n")
    known = connection(shop, "default")
    assert known is not None
    assert known.broken is None
    assert known.interrupted_at is None


def test_the_tokens_are_stored_under_the_refreshers_lock(shop: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[Path] = []
    locked = tokens.locked
    monkeypatch.setattr(tokens, "locked", lambda path, *rest: held.append(path) or locked(path, *rest))
    logged_in(shop, f"{BACK}?code=good-code&state=STATE\n")
    assert held == [secrets_file(shop, "default")]


def test_the_browser_brings_the_code(shop: Settings) -> None:
    """Strangers at the door, a browser's other questions and one that says nothing change nothing."""
    port = free_port()
    back = f"http://localhost:{port}/salla"
    pages: list[tuple[int, str]] = []
    read, write = os.pipe()
    person = Person()

    def visit(path: str) -> None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as page:
                pages.append((page.status, page.read().decode()))
        except urllib.error.HTTPError as error:
            pages.append((error.code, error.read().decode()))

    def browse() -> None:
        while not person.state:
            time.sleep(0.02)
        with socket.create_connection(("127.0.0.1", port)):
            pass
        for path in ("/favicon.ico", "/salla?code=evil&state=other", f"/salla?code=good-code&state={person.state}"):
            visit(path)

    def note(text: str) -> None:
        person.said.append(text)
        if "/oauth2/auth?" in text:
            person.state = parse_qs(urlsplit(text.strip()).query)["state"][0]

    browser = threading.Thread(target=browse)
    browser.start()
    with os.fdopen(read, encoding="utf-8") as typed:
        assert log_in(shop, "default", back, note, typed, 30) == str(MERCHANT)
    os.close(write)
    browser.join()
    assert [status for status, _ in pages] == [400, 400, 200]
    assert "another log-in" in pages[1][1]
    assert all("code" not in text or "evil" not in text for _, text in pages)
    assert "good-code" not in person.heard


def test_a_port_that_is_taken_leaves_pasting(shop: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        back = f"http://localhost:{taken.getsockname()[1]}/salla"
        store, person = logged_in(shop, f"{back}?code=good-code&state=STATE\n", redirect=back)
    assert store == str(MERCHANT)
    assert "Pasting" in person.heard


def test_the_time_ends(shop: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    with os.fdopen(read, encoding="utf-8") as typed, pytest.raises(SalwaError, match="no log-in within"):
        log_in(shop, "default", BACK, lambda text: None, typed, 0.2)
    os.close(write)


def test_states_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    monkeypatch.setattr(login.hmac, "compare_digest", lambda one, other: compared.append((one, other)) or one == other)
    assert code_of(f"{BACK}?code=c&state={STATE}", BACK, STATE) == "c"
    with pytest.raises(NotTheAnswer):
        code_of(f"{BACK}?code=c&state={STATE[:-1]}", BACK, STATE)
    assert compared == [(STATE.encode(), STATE.encode()), (STATE[:-1].encode(), STATE.encode())]


def test_the_command(shop: Settings) -> None:
    """The whole of it in a process of its own, as on a server: nothing secret on either output."""
    environment = {
        "PATH": os.environ["PATH"],
        "SALWA_DATA": str(shop.data),
        "SALWA_SALLA_API": shop.salla_api,
        "SALWA_SALLA_ACCOUNTS": shop.salla_accounts,
        "SALWA_SALLA_CLIENT_ID": "client-id",
        "SALWA_SALLA_CLIENT_SECRET": "client-secret",
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, "-m", "orchestration.cli", "salla-login", "--redirect", BACK]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as run:
        assert run.stdout is not None
        lines = []
        while not (lines and "/oauth2/auth?" in lines[-1]):
            lines.append(run.stdout.readline())
            assert lines[-1], run.stderr.read() if run.stderr else ""
        state = parse_qs(urlsplit(lines[-1].strip()).query)["state"][0]
        rest, errors = run.communicate(f"{BACK}?code=good-code&state={state}\n", timeout=60)
    assert run.returncode == 0, errors
    assert f"Salla store {MERCHANT}" in rest
    assert "salwa check salla" in rest
    for secret in ("client-secret", "SECRET", "good-code"):
        assert secret not in "".join(lines) + rest + errors
