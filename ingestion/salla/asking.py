"""One pull of a store: asking, landing what was answered, and only then remembering it."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import requests

from ingestion.erasing.lines import cleaner
from ingestion.errors import SalwaError
from ingestion.http import ComeBackLater, SourceRefused, SourceUnavailable, get, retry_after
from ingestion.landing import Delivery, LandingWriter
from ingestion.pulling import stay_away
from ingestion.redaction import redact
from ingestion.salla.budget import CUSTOMER_SECONDS, Budget
from ingestion.salla.tokens import Disconnected, access_token
from ingestion.settings import Settings
from ingestion.state import write_state

BATCH_LINES = 200
BATCH_BYTES = 16 * 1024 * 1024
MOST_PAGES = 20_000
THROTTLED_TRIES = 10
EMPTY_TRIES = 3
SMALLEST_PAGE = 15


class NotThere(SourceUnavailable):
    """The thing asked for is gone, or never was."""


class MissingPermission(SourceRefused):
    """The app may not read this; everything else goes on."""


class FilterIgnored(SalwaError):
    """Salla answered something else than what was asked for."""


class OutOfTime(Exception):
    """This run's share of requests is spent: what is left waits for the next one."""


class _Throttled(Exception):
    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


@dataclass(frozen=True)
class Answer:
    """What Salla answered to one call. `body` is None where the thing is not there (404, 410)."""

    kind: str
    content: bytes
    body: dict[str, Any] | None
    at: datetime


@dataclass(frozen=True)
class Page:
    """One page of a listing. `total` and `last` are None where Salla does not say."""

    answer: Answer
    rows: list[dict[str, Any]]
    number: int
    total: int | None
    last: int


@dataclass
class Pull:
    """A pull at work. `state` never runs ahead of what is landed: both are written by `checkpoint`."""

    settings: Settings
    workspace: str
    zone: ZoneInfo
    now: datetime
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    deadline: float
    patience: float
    state_path: Path
    state: dict[str, Any]
    merchant: str | None = None
    budget: Budget = field(default_factory=Budget)
    session: requests.Session = field(default_factory=requests.Session)
    writer: LandingWriter | None = None
    writer_bytes: int = 0
    pages: int = 0
    objects: int = 0
    requests: int = 0
    problems: list[str] = field(default_factory=list)
    order_days: dict[str, str] = field(default_factory=dict)
    asks_lines: bool = True  # until the call shows that it ignores which order is asked for

    @property
    def landed_folder(self) -> Path:
        return self.settings.landing / self.workspace / "salla"

    def problem(self, line: str) -> None:
        """Say it once."""
        if line not in self.problems:
            self.problems.append(line)


def ask(pull: Pull, path: str, params: Mapping[str, Any] | None = None) -> Answer:
    """One call to the API, in the store's rate; nothing lands yet.

    Raises:
        OutOfTime: it would take longer than this run may.
        SourceRefused: Salla refuses, and what to do about it.
        SourceUnavailable: no good answer.
    """
    call = path + (f"?{urlencode(params)}" if params else "")
    is_customers = path.startswith("/customers")
    token = access_token(pull.settings, pull.workspace, pull.clock())
    is_renewed = False
    for _ in range(THROTTLED_TRIES):
        keep_pace(pull, is_customers)
        try:
            response, told = once(pull, call, token, is_customers)
        except _Throttled as throttled:
            if too_long(pull, throttled.seconds):  # not this run: nothing else may be asked either
                pull.problem(stay_away(pull.state, "Salla", pull.clock(), throttled.seconds))
                pull.deadline = pull.clock().timestamp()
                raise OutOfTime from None
            pull.sleep(throttled.seconds)
            continue
        if response is not None:
            return Answer(f"GET {call}", response.content, read_body(call, response), pull.clock())
        if told.status_code in (404, 410):
            return Answer(f"GET {call}", told.content, None, pull.clock())
        if told.status_code == 401 and "scope" not in message_of(told).lower() and not is_renewed:
            token, is_renewed = access_token(pull.settings, pull.workspace, pull.clock(), rejected=token), True
            continue
        raise refusal(path, told)
    raise SourceUnavailable(f"GET {path}: Salla says again and again that it is asked too often")


def once(pull: Pull, call: str, token: str, is_customers: bool) -> tuple[requests.Response | None, requests.Response]:
    """The good answer, or None and the answer that refuses.

    Raises:
        _Throttled: 429, or another answer that names a wait too long for get(), and for how long.
    """
    answers: list[requests.Response] = []

    def note(answer: requests.Response) -> None:
        now = pull.clock().timestamp()
        pull.requests += 1
        pull.budget.note(answer.headers, now)
        if answers:  # asked again inside get()
            pull.budget.spend(now, is_customers)
        answers.append(answer)
        if answer.status_code == 429:
            asked = retry_after(answer)
            raise _Throttled(max(1.0, pull.budget.reset_at - now) if asked is None else asked)

    pull.session.headers["Authorization"] = f"Bearer {token}"
    pull.session.headers["Accept"] = "application/json"
    pull.budget.spend(pull.clock().timestamp(), is_customers)
    try:
        address = pull.settings.salla_api.rstrip("/") + call
        good = get(pull.session, address, sleep=pull.sleep, on_answer=note, patience=pull.patience)
    except ComeBackLater as later:
        raise _Throttled(later.seconds) from None
    except SourceRefused:
        return None, answers[-1]
    return good, good


def keep_pace(pull: Pull, is_customers: bool) -> None:
    """Wait until the next question is in time."""
    now = pull.clock().timestamp()
    if now >= pull.deadline:
        raise OutOfTime
    seconds = pull.budget.wait(now, is_customers)
    if seconds > 0:
        if too_long(pull, seconds):
            raise OutOfTime
        pull.sleep(seconds)


def too_long(pull: Pull, seconds: float) -> bool:
    return seconds > pull.patience or pull.clock().timestamp() + seconds >= pull.deadline


def read_body(call: str, response: requests.Response) -> dict[str, Any]:
    try:
        body = json.loads(response.content)
    except ValueError:
        body = None
    if not isinstance(body, dict) or body.get("success") is False:
        raise SourceUnavailable(f"GET {call.split('?', 1)[0]}: Salla answers 200, but not what it should")
    return body


def message_of(response: requests.Response) -> str:
    """What Salla says of an error, in its words; empty where it says nothing readable."""
    try:
        error = json.loads(response.content).get("error")
    except (ValueError, AttributeError):
        return ""
    message = error.get("message") if isinstance(error, dict) else error
    return message if isinstance(message, str) else ""


def refusal(path: str, response: requests.Response) -> SourceRefused:
    """Why Salla refuses, and what to do about it, in one line."""
    code, message = response.status_code, " ".join(message_of(response).split())[:200] or "no reason"
    if code in (401, 403) and "scope" in message.lower():
        line = (
            f"GET {path}: the app lacks a permission ({message}); grant it in the app's settings and install it again"
        )
        return MissingPermission(line, code)
    if code == 401:
        line = f"GET {path}: Salla does not accept the token though it is fresh ({message}); reinstall the app in the store"
        return Disconnected(line, code)
    if code == 403:
        line = f"GET {path}: Salla forbids it ({message}): a permission is missing, or the app is blocked for a while"
        return SourceRefused(line, code)
    return SourceRefused(f"GET {path}: Salla answers {code} ({message})", code)


def land(pull: Pull, answer: Answer) -> None:
    """Write an answer into the landing file at hand; it is landed with the next checkpoint."""
    write_line(pull, answer.kind, answer.content, answer.at)
    pull.pages += 1


def land_tombstone(pull: Pull, entity: str, object_id: str, gone_at: datetime) -> None:
    """A line that says: this is no longer there."""
    body = {"entity": entity, "id": object_id, "gone_at": gone_at.astimezone(UTC).isoformat()}
    write_line(pull, "tombstone", json.dumps(body).encode(), gone_at)


def write_line(pull: Pull, kind: str, content: bytes, at: datetime) -> None:
    if pull.writer is None:
        name = f"pull-{pull.now.astimezone(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:12]}"
        day = pull.now.astimezone(UTC).date().isoformat()
        clean = cleaner(pull.settings, pull.workspace, "salla")
        pull.writer = LandingWriter(pull.settings.landing, pull.workspace, "salla", name, day, clean)
        pull.writer_bytes = 0
    body = redact(content)
    pull.writer.append(
        Delivery(body=body, kind=kind, received_at=at.astimezone(UTC).isoformat(), account=pull.merchant)
    )
    pull.writer_bytes += len(body)


def step(pull: Pull) -> None:
    """Between two calls, when what was written and what is remembered agree: a checkpoint if much was written."""
    if pull.writer is not None and (pull.writer.lines >= BATCH_LINES or pull.writer_bytes >= BATCH_BYTES):
        checkpoint(pull)


def checkpoint(pull: Pull) -> None:
    """Land what was written, then remember how far it goes: a kill in between repeats a little and loses nothing."""
    writer, pull.writer = pull.writer, None
    if writer is not None:
        writer.__exit__(None)
    pull.state["customer_calls"] = list(pull.budget.customer_calls)
    write_state(pull.state_path, pull.state)


def remembered_calls(state: Mapping[str, Any], now: float) -> deque[float]:
    return deque(at for at in state.get("customer_calls", []) if now - CUSTOMER_SECONDS < at <= now)


def clear_left_over(folder: Path) -> None:
    """What a killed pull left half written is nobody's; one pull of a store runs at a time."""
    for left in folder.glob("*/.pull-*.partial"):
        left.unlink(missing_ok=True)


def pages(
    pull: Pull,
    path: str,
    params: Mapping[str, Any] | None = None,
    per_page: int = 60,
    first: int = 1,
    has_rows: bool = False,
) -> Iterator[Page]:
    """The pages of a listing, to the last one that Salla names; a short page is no end.

    An empty page where there should be rows is asked for again. A page size that the call does not take is lowered.

    Args:
        first: the page to begin with.
        has_rows: the listing is known not to be empty.

    Raises:
        FilterIgnored: another page came than the one asked for.
        SourceUnavailable: a page in the middle stays empty.
    """
    number = first
    while number <= MOST_PAGES:
        try:
            page = one_page(pull, path, params, per_page, number, has_rows or number > 1)
        except SourceRefused as refused:
            if refused.status != 422 or per_page <= SMALLEST_PAGE:
                raise
            number, per_page = (number - 1) * per_page // SMALLEST_PAGE + 1, SMALLEST_PAGE
            continue
        if number > 1 and not page.total and not page.rows:
            raise SourceUnavailable(
                f"GET {path}: page {number} stays empty, and the list with it; asked again next time"
            )
        yield page
        if number >= page.last:
            return
        number += 1


def one_page(
    pull: Pull, path: str, params: Mapping[str, Any] | None, per_page: int, number: int, has_rows: bool
) -> Page:
    asked = {**(params or {}), "page": number, "per_page": per_page}
    for attempt in range(EMPTY_TRIES):
        page = read_page(path, ask(pull, path, asked), number)
        if page.rows or (not page.total and not has_rows) or (page.total and number > page.last):
            break
        pull.sleep(1.0 + attempt)
    return page


def read_page(path: str, answer: Answer, number: int) -> Page:
    if answer.body is None:
        raise NotThere(f"GET {path}: Salla says it is not there")
    data = answer.body.get("data")
    rows = [row for row in data if isinstance(row, dict)] if isinstance(data, list) else []
    told = answer.body.get("pagination") or answer.body.get("pagenation")
    told = told if isinstance(told, dict) else {}
    last, current = whole(told.get("totalPages")), whole(told.get("currentPage"))
    if current is not None and current != number and last is not None and number <= last:
        raise FilterIgnored(
            f"GET {path}: asked for page {number}, Salla answers with page {current}; the call was stopped"
        )
    return Page(answer, rows, number, whole(told.get("total")), number if last is None else last)


def whole(value: object) -> int | None:
    try:
        return int(value)  # type: ignore[call-overload]
    except (TypeError, ValueError):
        return None


def id_of(row: Mapping[str, Any]) -> str | None:
    """The row's id as text."""
    value = row.get("id")
    return str(value) if isinstance(value, (int, str)) and not isinstance(value, bool) and str(value) else None


def digest(value: object) -> str:
    """A short hash of JSON: equal values, whatever the order of their keys, have equal ones."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:10]


def day_of(value: object) -> str | None:
    """The date a row names, as YYYY-MM-DD; of {date, timezone} or text. None where there is none."""
    text = value.get("date") if isinstance(value, dict) else value
    return text[:10] if isinstance(text, str) and len(text) >= 10 and text[4] == text[7] == "-" else None


def check_days(path: str, params: Mapping[str, Any], days: set[str], earliest: str, latest: str) -> None:
    """That the rows are of the days asked for.

    Raises:
        FilterIgnored: one is of quite another day.
    """
    others = sorted(day for day in days if not earliest <= day <= latest)
    if others:
        asked = f"asked for {params['from_date']} to {params['to_date']}, Salla answers with a row of {others[0]}"
        raise FilterIgnored(f"GET {path}: {asked}: it ignores the filter; the call was stopped")
