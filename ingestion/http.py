"""Asking an API politely: retries with jitter for what is worth retrying, one clear error for what is not."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_exponential_jitter

from ingestion.errors import SalwaError

TIMEOUT = (10, 60)  # seconds to connect, to read
ATTEMPTS = 6
LONGEST_WAIT = 120.0  # seconds, where the source does not say how long
LONGEST_OBEYED = 900.0  # seconds that one question waits because it was told to; longer ends the pull
RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})


class SourceUnavailable(SalwaError):
    """The source did not answer well, however often it was asked; the next run asks again."""


class SourceRefused(SalwaError):
    """The source refuses: a person has to mend something. `status` is its HTTP status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class ComeBackLater(SalwaError):
    """The source asks to be left alone for `seconds`, longer than a run may wait: nothing else is to be asked of it."""

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


class _TryAgain(Exception):
    def __init__(self, reason: str, wait: float | None) -> None:
        super().__init__(reason)
        self.wait = wait


def get(
    session: requests.Session,
    url: str,
    params: Mapping[str, Any] | None = None,
    *,
    sleep: Callable[[float], None] = time.sleep,
    on_answer: Callable[[requests.Response], None] = lambda answer: None,
    patience: float = LONGEST_OBEYED,
) -> requests.Response:
    """GET, asked again after 408, 425, 429, 5xx, a time-out or a broken connection; Retry-After is obeyed.

    Args:
        session: carries the authorization header.
        sleep: how to wait, in seconds.
        on_answer: told every answer, also those that are retried (rate-limit headers).
        patience: how many seconds in all this question may wait because Retry-After says so.

    Raises:
        ComeBackLater: Retry-After asks for more than that.
        SourceUnavailable: still no good answer after ATTEMPTS.
        SourceRefused: any other status of 400 and above.
    """
    waits = wait_exponential_jitter(initial=1, max=LONGEST_WAIT)
    obeyed = 0.0

    def wait(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.wait if isinstance(error, _TryAgain) else None
        return waits(state) if asked is None else asked

    def once() -> requests.Response:
        nonlocal obeyed
        try:
            answer = session.get(url, params=params, timeout=TIMEOUT, allow_redirects=False)
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
            raise _TryAgain(type(error).__name__, None) from None
        on_answer(answer)
        if answer.status_code in RETRIED:
            asked = retry_after(answer)
            obeyed += asked or 0.0
            if asked is not None and obeyed > patience:
                raise ComeBackLater(f"{short(url)} asks to be asked again in {math.ceil(asked / 60)} minutes", asked)
            raise _TryAgain(f"HTTP {answer.status_code}", asked)
        if answer.status_code >= 300:
            raise SourceRefused(f"{short(url)} answers {answer.status_code}", answer.status_code)
        return answer

    retrying = Retrying(
        retry=retry_if_exception_type(_TryAgain), stop=stop_after_attempt(ATTEMPTS), wait=wait, sleep=sleep, reraise=True
    )
    try:
        return retrying(once)
    except _TryAgain as error:
        raise SourceUnavailable(f"{short(url)} did not answer after {ATTEMPTS} tries: {error}") from None


def retry_after(answer: requests.Response) -> float | None:
    """Seconds the source asks us to wait, told as a number or as a date by its own clock; null where it says nothing."""
    told = answer.headers.get("Retry-After", "")
    try:
        seconds = float(told)
    except ValueError:
        until, now = http_date(told), http_date(answer.headers.get("Date", "")) or datetime.now(UTC)
        seconds = (until - now).total_seconds() if until else math.nan
    return max(0.0, seconds) if math.isfinite(seconds) else None


def http_date(text: str) -> datetime | None:
    """A date of a header as an instant."""
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def short(url: str) -> str:
    """The address without its query, which may hold a secret."""
    return url.split("?", 1)[0]
