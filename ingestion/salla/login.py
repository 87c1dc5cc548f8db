"""`salwa salla-login`: the merchant's log-in for an app in custom mode, on a desk or on a server without a browser.

The merchant opens an address, agrees, and Salla sends the browser back with a code. It comes back by itself where the
browser runs on this machine; else the person pastes the address that the browser ended at. Both are waited for at once.
"""

from __future__ import annotations

import hmac
import os
import secrets
import selectors
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import IO
from urllib.parse import parse_qs, urlsplit

from ingestion.errors import SalwaError
from ingestion.salla.tokens import authorize_url, exchange_code
from ingestion.settings import Settings

REDIRECT = "http://localhost:8976/salla"
# what the pull reads; `offline_access` brings the refresh token
SCOPES = (
    "offline_access",
    "orders.read",
    "customers.read",
    "products.read",
    "carts.read",
    "transactions.read",
    "settings.read",
    "store-settings.read",
)
LOOPBACK = ("localhost", "127.0.0.1")
PATIENCE = 900.0  # seconds a person has for it
BROWSER_SECONDS = 5.0  # for one request of the browser
LONGEST_LINE = 16_384


class NotTheAnswer(SalwaError):
    """An address that is not Salla's answer to this log-in; the right one may still come."""


def log_in(
    settings: Settings,
    workspace: str,
    redirect_uri: str = REDIRECT,
    say: Callable[[str], None] = print,
    typed: IO[str] | None = None,
    patience: float = PATIENCE,
) -> str:
    """Let a person log in, and keep the tokens that this gives.

    Args:
        redirect_uri: where Salla sends the browser; it has to stand in the app's settings as it is given here.
        say: tells the person something. It is never told a secret.
        typed: where a pasted address comes from; standard input if not given.
        patience: seconds to wait for the person.

    Returns:
        The id of the store, which is the workspace's.

    Raises:
        SalwaError: a setting is missing, the merchant did not agree, nothing came in time, or the store is not the
            workspace's. Nothing is stored then.
        SourceRefused: Salla does not accept the code or the client.
        SourceUnavailable: Salla did not answer.
    """
    state = secrets.token_hex(24)  # without hyphens: Salla drops them
    address = authorize_url(settings, redirect_uri, " ".join(SCOPES), state)
    waiting = Waiting(redirect_uri, state, say)
    with listening(waiting) as server:
        say("Open this address in a browser and log in as the store's owner:\n")
        say(f"{address}\n")
        if server:
            say(
                "If the browser runs on this machine, that is all. If it runs elsewhere, it ends\n"
                "at a page that does not open: copy that page's address, paste it here and press\n"
                "Enter."
            )
        else:
            say("Then copy the address that the browser ends at, paste it here and press Enter.")
        wait_for_code(waiting, server, sys.stdin if typed is None else typed, patience)
    assert waiting.code is not None  # noqa: S101 - or it would have raised
    return exchange_code(settings, workspace, waiting.code, redirect_uri)


def code_of(address: str, redirect_uri: str, state: str) -> str:
    """The code in the address that Salla sent the browser to.

    Raises:
        NotTheAnswer: it belongs to another log-in, or is no such address.
        SalwaError: the merchant did not agree, or Salla refuses the question.
    """
    try:
        given, ours = urlsplit(address.strip()), urlsplit(redirect_uri)
        query = parse_qs(given.query, keep_blank_values=True, max_num_fields=20)
    except ValueError:
        raise NotTheAnswer("that is no address") from None
    if (given.path.rstrip("/") != ours.path.rstrip("/")) or not query.keys() & {"code", "error"}:
        raise NotTheAnswer(f"that is not the address after the log-in; it begins with {redirect_uri}?")
    told = query.get("state", [])
    if len(told) != 1 or not hmac.compare_digest(told[0].encode("utf-8"), state.encode("utf-8")):
        raise NotTheAnswer("that is the answer to another log-in (its state differs); use the address above")
    if "error" in query:
        reason = printable(" ".join([*query["error"], *query.get("error_description", [])]))
        raise SalwaError(f"Salla gave no code: {reason}. Nothing was stored")
    if len(query["code"]) != 1 or not query["code"][0]:
        raise NotTheAnswer("there is no code in that address; was all of it copied?")
    return query["code"][0]


def printable(text: str) -> str:
    """A stranger's text, fit for a terminal."""
    return "".join(letter for letter in text if letter.isprintable())[:200]


@dataclass
class Waiting:
    """What is waited for, and what came."""

    redirect_uri: str
    state: str
    say: Callable[[str], None]
    code: str | None = None
    failure: SalwaError | None = None

    def take(self, address: str) -> str:
        """Look at an address; what to tell whoever brought it. The first answer counts."""
        if self.code is None and self.failure is None:
            try:
                self.code = code_of(address, self.redirect_uri, self.state)
            except NotTheAnswer as error:
                return str(error)
            except SalwaError as error:
                self.failure = error
                return str(error)
        return ""

    @property
    def is_over(self) -> bool:
        return self.code is not None or self.failure is not None


@contextmanager
def listening(waiting: Waiting) -> Iterator[HTTPServer | None]:
    """A listener on the redirect's port, where that is on this machine; else None, or where the port is taken."""
    parts = urlsplit(waiting.redirect_uri)
    if parts.scheme != "http" or parts.hostname not in LOOPBACK:
        yield None
        return
    try:
        server = HTTPServer(("127.0.0.1", parts.port or 80), page_of(waiting))
    except OSError as error:
        waiting.say(f"(Port {parts.port or 80} cannot be listened on: {error.strerror}. Pasting the address works.)")
        yield None
        return
    with server:
        yield server


def page_of(waiting: Waiting) -> type[BaseHTTPRequestHandler]:
    """What the browser sees where Salla sends it."""

    class Page(BaseHTTPRequestHandler):
        timeout = BROWSER_SECONDS

        def do_GET(self) -> None:
            problem = waiting.take(self.path)
            text = problem or "This went well so far. Go back to the terminal."
            content = text.encode("utf-8", "replace")
            self.send_response(400 if problem else 200)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """The address holds the code: it is written nowhere."""

    return Page


def wait_for_code(waiting: Waiting, server: HTTPServer | None, typed: IO[str], patience: float) -> None:
    """Until a code is there, from the browser or from a person.

    Raises:
        SalwaError: the merchant did not agree, the time is over, or nobody can bring a code any more.
    """
    until = time.monotonic() + patience
    line = b""
    with selectors.DefaultSelector() as selector:
        if server:
            server.timeout = 0  # it is only asked where somebody is at the door
            selector.register(server, selectors.EVENT_READ)
        is_typing = can_be_waited_for(selector, typed)
        while not waiting.is_over:
            if not server and not is_typing:
                raise SalwaError("no address was pasted; nothing was stored")
            ready = [key.fileobj for key, _ in selector.select(max(0.0, until - time.monotonic()))]
            if not ready:
                raise SalwaError(f"no log-in within {patience / 60:.0f} minutes; nothing was stored. Run it again")
            if server in ready and server:
                server.handle_request()
            if typed in ready:
                data = os.read(typed.fileno(), LONGEST_LINE)
                *lines, line = (line + data).split(b"\n") if data else (line, b"")
                for pasted in lines:
                    if pasted.strip() and (problem := waiting.take(pasted.decode("utf-8", "replace"))):
                        waiting.say(problem)
                line = line[-LONGEST_LINE:]
                if not data:
                    selector.unregister(typed)
                    is_typing = False
    if waiting.failure:
        raise waiting.failure


def can_be_waited_for(selector: selectors.BaseSelector, typed: IO[str]) -> bool:
    """Whether anything can be pasted: not where standard input is closed or a file."""
    try:
        selector.register(typed, selectors.EVENT_READ)
    except (OSError, ValueError):
        return False
    return True
