"""Asking an API politely: retries with jitter for what is worth retrying, one clear error for what is not."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import requests
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_exponential_jitter

from ingestion.errors import SalwaError

TIMEOUT = (10, 60)  # seconds to connect, to read
ATTEMPTS = 6
LONGEST_WAIT = 120.0
RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})


class SourceUnavailable(SalwaError):
    """The source did not answer well, however often it was asked; the next run asks again."""


class SourceRefused(SalwaError):
    """The source refuses: a person has to mend something. `status` is its HTTP status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


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
) -> requests.Response:
    """GET, asked again after 408, 425, 429, 5xx, a time-out or a broken connection; Retry-After is obeyed.

    Args:
        session: carries the authorization header.
        sleep: how to wait, in seconds.
        on_answer: told every answer, also those that are retried (rate-limit headers).

    Raises:
        SourceUnavailable: still no good answer after ATTEMPTS.
        SourceRefused: any other status of 400 and above.
    """
    waits = wait_exponential_jitter(initial=1, max=LONGEST_WAIT)

    def wait(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.wait if isinstance(error, _TryAgain) else None
        return waits(state) if asked is None else min(asked, LONGEST_WAIT)

    def once() -> requests.Response:
        try:
            answer = session.get(url, params=params, timeout=TIMEOUT, allow_redirects=False)
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
            raise _TryAgain(type(error).__name__, None) from None
        on_answer(answer)
        if answer.status_code in RETRIED:
            raise _TryAgain(f"HTTP {answer.status_code}", retry_after(answer))
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
    """Seconds the source asks us to wait, if it says so as a number."""
    try:
        return max(0.0, float(answer.headers.get("Retry-After", "")))
    except ValueError:
        return None


def short(url: str) -> str:
    """The address without its query, which may hold a secret."""
    return url.split("?", 1)[0]
