"""Chatwoot's API: asking it politely, and what its refusals mean in plain words."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import requests

from ingestion import http
from ingestion.errors import SalwaError
from ingestion.settings import Settings, Workspace

LEAST_GAP = 0.025  # seconds between two questions: 2,400 a minute, under Chatwoot's 3,000 per address
ASKED_AGAIN = 2  # how often an answer that may be a hiccup is asked for again
PAUSE = 2.0  # seconds before asking again
SECRET = re.compile(r"token|password|secret|api_key|access_key|private_key|hmac_(?!mandatory)", re.IGNORECASE)
REDACTED = "[redacted]"


@dataclass(frozen=True)
class Answer:
    """What the source said to one question."""

    kind: str  # "GET /conversations?page=2"
    body: bytes
    data: Any
    at: datetime


@dataclass
class Api:
    """One account of one Chatwoot.

    clock: the moment an answer came, with a zone. sleep: how to wait, in seconds.
    """

    url: str
    account: str
    session: requests.Session
    clock: Callable[[], datetime]
    sleep: Callable[[float], None] = time.sleep
    _last: float = field(default=0.0, init=False)

    def ask(self, path: str, version: str = "v1", **params: Any) -> Answer:
        """The answer to GET .../accounts/<account><path>.

        Raises:
            SourceUnavailable: no readable answer, however often it was asked.
            SourceRefused: with a line that says what to mend; status 404 where the thing is not there.
        """
        return self.ask_at(f"{self.url}/api/{version}/accounts/{self.account}{path}", path, params)

    def ask_at(self, url: str, path: str, params: dict[str, Any]) -> Answer:
        """The answer to GET of a whole address; `path` is how it is called when it lands."""
        kind = f"GET {path}" + (f"?{urlencode(params)}" if params else "")
        for _ in range(1 + ASKED_AGAIN):
            self._keep_distance()
            told: list[requests.Response] = []
            try:
                found = http.get(self.session, url, params, sleep=self.sleep, on_answer=told.append)
            except http.SourceRefused as error:
                raise http.SourceRefused(self._refusal(error.status, told), error.status) from None
            try:
                return Answer(kind, found.content, json.loads(found.content), self.clock())
            except ValueError:  # the page of a proxy, or an answer cut short
                self.sleep(PAUSE)
        raise http.SourceUnavailable(f"{http.short(url)} answers, but not with JSON: is SALWA_CHATWOOT_URL a Chatwoot?")

    def _keep_distance(self) -> None:
        since = time.monotonic() - self._last
        if since < LEAST_GAP:
            self.sleep(LEAST_GAP - since)
        self._last = time.monotonic()

    def _refusal(self, status: int, told: list[requests.Response]) -> str:
        text = told[-1].text[:500].lower() if told else ""
        if status == 401 and "token" in text:
            return (
                "Chatwoot does not know the token: copy the access token of an administrator (Profile settings, at the "
                "bottom) into SALWA_CHATWOOT_TOKEN"
            )
        if status in (401, 403):
            return (
                f"Chatwoot does not let this token read account {self.account}: take the token of an administrator of "
                "it, or correct SALWA_CHATWOOT_ACCOUNT (the number in the address of its dashboard)"
            )
        if status == 404:
            return f"{self.url} has no such thing in account {self.account}: check SALWA_CHATWOOT_ACCOUNT"
        if 300 <= status < 400:
            return f"{self.url} sends us elsewhere: set SALWA_CHATWOOT_URL to the address it ends at (https://...)"
        return f"Chatwoot answers {status} at {self.url}"


def open_api(
    settings: Settings,
    workspace: Workspace,
    now: datetime,
    sleep: Callable[[float], None],
    session: requests.Session | None = None,
    clock: Callable[[], datetime] | None = None,
) -> Api:
    """The workspace's Chatwoot.

    Raises:
        SalwaError: a setting is missing.
    """
    token = workspace.chatwoot_token or settings.chatwoot_token
    wanted = {
        "SALWA_CHATWOOT_URL": workspace.chatwoot_url,
        "SALWA_CHATWOOT_ACCOUNT": workspace.chatwoot_account,
        "SALWA_CHATWOOT_TOKEN": token.get_secret_value() if token else None,
    }
    if missing := [name for name, value in wanted.items() if not value]:
        raise SalwaError(
            f"{', '.join(missing)} of workspace {workspace.name} not set: without it Chatwoot is not pulled"
        )
    found = session or requests.Session()
    found.headers.update({"api_access_token": wanted["SALWA_CHATWOOT_TOKEN"] or "", "Accept": "application/json"})
    started = time.monotonic()
    return Api(
        url=(workspace.chatwoot_url or "").rstrip("/"),
        account=workspace.chatwoot_account or "",
        session=found,
        clock=clock or (lambda: now + timedelta(seconds=time.monotonic() - started)),
        sleep=sleep,
    )


def listed(data: Any) -> list[dict[str, Any]]:
    """The objects of a page, whatever stands around them."""
    for key in ("data", "payload"):
        if isinstance(data, dict) and isinstance(data.get(key), dict | list):
            data = data[key]
    return [row for row in data if isinstance(row, dict)] if isinstance(data, list) else []


def count_of(data: Any, *names: str) -> int | None:
    """A count that a page's meta tells."""
    if isinstance(data, dict) and isinstance(data.get("data"), dict):
        data = data["data"]
    meta = data.get("meta") if isinstance(data, dict) else None
    found = next((meta[name] for name in names if name in meta), None) if isinstance(meta, dict) else None
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def number(value: Any) -> int | None:
    """An id as a number; null where it is none."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def without_secrets(value: Any) -> Any:
    """The value with every key of a channel or a webhook hidden: administrators are shown them."""
    if isinstance(value, dict):
        return {
            key: REDACTED if SECRET.search(key) and isinstance(inner, str) and inner else without_secrets(inner)
            for key, inner in value.items()
        }
    return [without_secrets(inner) for inner in value] if isinstance(value, list) else value
