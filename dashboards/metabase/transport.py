"""Metabase's API through the package metabase-api, with what that leaves out: time-outs, retries, clear errors."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import requests
from metabase_api import Metabase_API
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_exponential_jitter

from ingestion.errors import SalwaError
from ingestion.http import ATTEMPTS, RETRIED, TIMEOUT, retry_after
from ingestion.settings import Settings

LONGEST_WAIT = 30.0
OLDEST = 56
NEW_QUERIES = 57  # from here on queries are kept in stages
UNAUTHORIZED, FORBIDDEN, NOT_FOUND, CONFLICT, TOO_MANY = 401, 403, 404, 409, 429


class MetabaseError(SalwaError):
    """Metabase refused or did not answer. `status` is its HTTP status, 0 where there was no answer."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class _TryAgain(Exception):
    def __init__(self, reason: str, status: int, wait: float | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.wait = wait


class _Verbs(Metabase_API):
    """The package's get, post, put. Its constructor and its check before each call ask the server without a time-out."""

    def __init__(self, domain: str, header: dict[str, str] | None) -> None:
        self.domain = domain
        self.header = header
        self.auth = None
        self.email = None

    def validate_session(self) -> None:
        return None


class Metabase:
    """One server. Call `log_in` before anything that needs an administrator.

    >>> metabase = Metabase("http://localhost:3000")
    >>> metabase.log_in_with(key="mb_...")
    """

    def __init__(self, url: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self.url = url.rstrip("/")
        self.sleep = sleep
        self.writes = 0
        self._verbs = _Verbs(self.url, None)
        self._log_in: Callable[[], None] | None = None

    # Who we are

    def log_in_with(self, *, key: str = "", user: str = "", password: str = "") -> None:
        """With an API key, else as an administrator; once more when the session has run out."""
        if key:
            self._verbs.header = {"x-api-key": key}
            return

        def log_in() -> None:
            answer = self._send("post", "/api/session", {"username": user, "password": password}, may_repeat=True)
            self._verbs.header = {"X-Metabase-Session": answer["id"]}

        log_in()
        self._log_in = log_in

    # What may be asked

    def get(self, path: str, missing: Any = ..., **params: Any) -> Any:
        """The answer as JSON. `missing` is the answer where there is nothing (404).

        Raises:
            MetabaseError: as of `put`.
        """
        try:
            return self._ask("get", path, None, may_repeat=True, params=params)
        except MetabaseError as error:
            if error.status == NOT_FOUND and missing is not ...:
                return missing
            raise

    def put(self, path: str, body: Any) -> Any:
        """Write what may be written twice.

        Raises:
            MetabaseError: Metabase refuses (its words are in the message) or does not answer.
        """
        self.writes += 1
        return self._ask("put", path, body, may_repeat=True)

    def post(self, path: str, body: Any = None) -> Any:
        """Make something: asked once, because an answer that is lost may have made it. A next push finds it."""
        self.writes += 1
        return self._ask("post", path, body, may_repeat=False)

    def _ask(
        self, verb: str, path: str, body: Any, may_repeat: bool, params: dict[str, Any] | None = None
    ) -> Any:
        try:
            return self._send(verb, path, body, may_repeat, params)
        except MetabaseError as error:
            if error.status != UNAUTHORIZED or self._log_in is None:
                raise
            self._log_in()
            return self._send(verb, path, body, may_repeat, params)

    def _send(
        self, verb: str, path: str, body: Any, may_repeat: bool, params: dict[str, Any] | None = None
    ) -> Any:
        waits = wait_exponential_jitter(initial=0.5, max=LONGEST_WAIT)

        def wait(state: RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            asked = error.wait if isinstance(error, _TryAgain) else None
            return waits(state) if asked is None else min(asked, LONGEST_WAIT)

        retrying = Retrying(
            retry=retry_if_exception_type(_TryAgain),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait,
            sleep=self.sleep,
            reraise=True,
        )
        try:
            answer: requests.Response = retrying(self._once, verb, path, body, may_repeat, params)
        except _TryAgain as error:
            raise MetabaseError(f"Metabase at {self.url} does not answer: {error}", error.status) from None
        if answer.status_code >= 400:
            raise refused(self.url, verb, path, answer)
        try:
            return answer.json() if answer.content else None
        except requests.exceptions.JSONDecodeError:
            raise MetabaseError(f"{self.url} answers {path} with something other than JSON: is it Metabase?") from None

    def _once(
        self, verb: str, path: str, body: Any, may_repeat: bool, params: dict[str, Any] | None
    ) -> requests.Response:
        options: dict[str, Any] = {"timeout": TIMEOUT, "allow_redirects": False}
        if params:
            options["params"] = params
        if body is not None:
            options["json"] = body
        try:
            answer: requests.Response = getattr(self._verbs, verb)(path, "raw", **options)
        except requests.exceptions.ConnectTimeout:
            raise _TryAgain("no connection in time", 0) from None
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
            if may_repeat or was_never_sent(error):
                raise _TryAgain(type(error).__name__, 0) from None
            raise MetabaseError(f"Metabase at {self.url} broke off {verb.upper()} {path}; push again to go on") from None
        except requests.exceptions.RequestException as error:
            raise MetabaseError(f"SALWA_METABASE_URL {self.url!r} is no address: {error}") from None
        if answer.status_code == TOO_MANY or (may_repeat and answer.status_code in RETRIED):
            raise _TryAgain(f"HTTP {answer.status_code} {words_of(answer)}".strip(), answer.status_code, retry_after(answer))
        return answer


def was_never_sent(error: Exception) -> bool:
    """Whether nothing can have arrived, so that asking again makes nothing twice."""
    return "Failed to establish a new connection" in str(error) or "Connection refused" in str(error)


def refused(url: str, verb: str, path: str, answer: requests.Response) -> MetabaseError:
    status = answer.status_code
    # a wrong password is 401, in older versions 400
    if status == UNAUTHORIZED or path == "/api/session":
        advice = "does not know these credentials: check SALWA_METABASE_API_KEY, or SALWA_METABASE_USER and _PASSWORD"
    elif status == FORBIDDEN:
        advice = f"forbids {verb.upper()} {path}: the key or user must be of the group Administrators"
    elif status == NOT_FOUND:
        advice = f"knows no {path}: is it version 0.{OLDEST} or newer?"
    else:
        advice = f"refuses {verb.upper()} {path} with {status}"
    said = words_of(answer) if status not in (UNAUTHORIZED, NOT_FOUND) else ""
    return MetabaseError(f"Metabase at {url} {advice}" + (f": {said}" if said else ""), status)


def words_of(answer: requests.Response) -> str:
    """What Metabase says about an error, short."""
    try:
        body = answer.json()
    except requests.exceptions.JSONDecodeError:
        body = answer.text
    if isinstance(body, dict):
        body = body.get("message") or body.get("specific-errors") or body.get("errors") or body.get("error") or body
    return re.sub(r"\s+", " ", str(body))[:300]


def version_of(properties: dict[str, Any]) -> int:
    """The number that counts of v0.60.7 or v1.60.7; a development build counts as the newest.

    Raises:
        MetabaseError: it is too old.
    """
    found = re.match(r"v?[01]\.(\d+)", str((properties.get("version") or {}).get("tag", "")))
    number = int(found[1]) if found else 999
    if number < OLDEST:
        raise MetabaseError(f"Metabase is {found and found[0]}; salwa needs 0.{OLDEST} or newer")
    return number


def connected(settings: Settings, sleep: Callable[[float], None] = time.sleep) -> tuple[Metabase, dict[str, Any]]:
    """A server that answers, and its session properties. Nobody is logged in yet.

    Raises:
        SalwaError: no address is set, or nothing answers there.
    """
    if not settings.metabase_url:
        raise SalwaError("SALWA_METABASE_URL is not set: the address of Metabase, like http://localhost:3000")
    metabase = Metabase(settings.metabase_url, sleep)
    # its health turns green before the rest answers
    metabase.get("/api/health")
    return metabase, metabase.get("/api/session/properties")


def set_up(metabase: Metabase, settings: Settings, token: str, site_name: str) -> None:
    """Make the first administrator of a fresh Metabase, and log in as such."""
    user, password = credentials(settings)
    if not user:
        raise SalwaError(
            "this Metabase has not been set up: set SALWA_METABASE_USER (an e-mail address) and SALWA_METABASE_PASSWORD, "
            "who will be its administrator; a key can be made afterwards"
        )
    metabase.post(
        "/api/setup",
        {
            "token": token,
            "user": {"first_name": "salwa", "last_name": "admin", "email": user, "password": password},
            "prefs": {"site_name": site_name, "site_locale": "en"},
        },
    )
    metabase.log_in_with(user=user, password=password)


def log_in(metabase: Metabase, settings: Settings) -> None:
    user, password = credentials(settings)
    if settings.metabase_api_key is not None:
        metabase.log_in_with(key=settings.metabase_api_key.get_secret_value())
    elif user:
        metabase.log_in_with(user=user, password=password)
    else:
        raise SalwaError("set SALWA_METABASE_API_KEY, or SALWA_METABASE_USER and SALWA_METABASE_PASSWORD of an administrator")


def credentials(settings: Settings) -> tuple[str, str]:
    if not settings.metabase_user or settings.metabase_password is None:
        return "", ""
    return settings.metabase_user, settings.metabase_password.get_secret_value()
