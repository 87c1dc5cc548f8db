"""The store's OAuth tokens: one pair per workspace, in SALWA_DATA/secrets/salla-<workspace>.json and nowhere else.

Salla's refresh token works once: a second use revokes the whole connection, and the merchant must install the app again.
So one process at a time refreshes, under a lock, and both new tokens are on disk before either is used. Before the
question goes out, the file says that it does: if the answer never arrives, nobody can know whether Salla has exchanged
the token, and the next start says so instead of guessing. The access token in hand is then used as long as it lasts,
for asking again could revoke it too; only then is the old refresh token tried once more.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import requests

from ingestion.errors import SalwaError
from ingestion.http import TIMEOUT, SourceRefused, SourceUnavailable, get
from ingestion.landing import sync_folder
from ingestion.settings import Settings
from ingestion.state import locked, read_state, write_state

DAY = 86_400
ACCESS_LIFE = 14 * DAY  # where an answer does not say
BEFORE_EXPIRY = 3600  # refresh this long before the access token ends
LAST_MINUTES = 300  # after an interrupted refresh: only now is it tried again
REFRESH_AGE = 23 * DAY  # a refresh token lives a month; a week before that it is exchanged
ABSOLUTE = 1_000_000_000  # an `expires` above this is an instant, below it a duration
USED_KEPT = 20
REINSTALL = "reinstall the app in the Salla store, or run `salwa salla-login`, so that there are new tokens"


class Disconnected(SourceRefused):
    """The store's connection has ended; a person has to renew it."""


@dataclass(frozen=True)
class Connection:
    """What is known of a store's connection, without its tokens. Times are seconds since 1970."""

    merchant: str | None
    scope: str
    expires_at: float
    interrupted_at: float | None
    broken: str | None


def secrets_file(settings: Settings, workspace: str) -> Path:
    """The file that holds the workspace's tokens.

    Raises:
        SalwaError: the workspace's name cannot be part of a file name.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,62}", workspace):
        raise SalwaError(f"{workspace!r} is not a workspace's name")
    return settings.data / "secrets" / f"salla-{workspace}.json"


def connection(settings: Settings, workspace: str) -> Connection | None:
    """The workspace's connection; None where no tokens were ever stored."""
    stored = read_state(secrets_file(settings, workspace))
    if not stored.get("access_token"):
        return None
    return Connection(
        merchant=stored.get("merchant"),
        scope=stored.get("scope") or "",
        expires_at=float(stored["expires_at"]),
        interrupted_at=stored.get("refreshing_since"),
        broken=stored.get("broken"),
    )


def store_tokens(
    settings: Settings,
    workspace: str,
    merchant: str | int | None,
    payload: Mapping[str, Any],
    now: datetime | None = None,
    patience: float | None = None,
) -> bool:
    """Keep the tokens that Salla sent (app.store.authorize) or answered (the first exchange of a code).

    A delivery that comes twice, or late, changes nothing: its refresh token is known, or a newer installation is.

    Args:
        merchant: the store's id; None where it is not known yet.
        payload: the webhook's body or its `data`, or the token endpoint's answer; `expires` may be an instant or a
            duration, `expires_in` is a duration, in seconds.
        patience: seconds to wait for a refresh that holds the lock; None waits as long as it takes.

    Returns:
        Whether the tokens are new.

    Raises:
        SalwaError: there is no token in it, or the workspace belongs to another store.
        LockTaken: the lock was held for longer than `patience`; nothing was stored.
    """
    tokens = payload.get("data") if isinstance(payload.get("data"), Mapping) else payload
    if not isinstance(tokens, Mapping) or not text(tokens.get("access_token")):
        raise SalwaError("Salla's authorization holds no access_token; nothing was stored")
    path = secrets_file(settings, workspace)
    private_folder(path)
    told_at = text(payload.get("created_at"))
    with locked(path, patience):
        adopt_left_over(path)
        before = read_state(path)
        if fingerprint(tokens.get("refresh_token") or tokens["access_token"]) in before.get("used", []):
            return False
        if told_at and before.get("told_at") and told_at < before["told_at"] and not before.get("broken"):
            return False
        known = before.get("merchant")
        if known and merchant is not None and str(merchant) != known:
            raise SalwaError(
                f"workspace {workspace} belongs to Salla store {known}, but store {merchant} was authorized; nothing was "
                f"stored. To change the store, remove {path} and install the app again"
            )
        write_state(
            path,
            {
                **pair(tokens, (now or datetime.now(UTC)).timestamp()),
                "merchant": str(merchant) if merchant is not None else known,
                "told_at": told_at or before.get("told_at"),
                "used": with_used(before, tokens),
            },
        )
    return True


def access_token(settings: Settings, workspace: str, now: datetime, rejected: str | None = None) -> str:
    """A token that opens the API; refreshed first if it is about to end.

    Args:
        rejected: a token that the API has just refused: if it is still the stored one, it is exchanged.

    Raises:
        SalwaError: no tokens are stored, or they cannot be refreshed without settings that are missing.
        Disconnected: Salla does not accept the connection any more; a person has to renew it.
        SourceRefused: the client is not accepted.
        SourceUnavailable: Salla did not answer and the token in hand has ended.
    """
    path = secrets_file(settings, workspace)
    at = now.timestamp()
    stored = usable(read_state(path), workspace)
    if not stored.get("refreshing_since") and not is_due(stored, at, rejected):
        return str(stored["access_token"])
    private_folder(path)
    with locked(path):
        adopt_left_over(path)
        stored = usable(read_state(path), workspace)  # another process may have refreshed meanwhile
        if is_due(stored, at, rejected):
            stored = refreshed(settings, workspace, path, stored, at, rejected)
    return str(stored["access_token"])


def usable(stored: Mapping[str, Any], workspace: str) -> dict[str, Any]:
    if not stored.get("access_token"):
        raise SalwaError(
            f"workspace {workspace} has no Salla tokens: install the app in the store while `salwa receive` takes "
            "Salla's webhooks, or log in with `salwa salla-login`"
        )
    if stored.get("broken"):
        raise Disconnected(str(stored["broken"]), 401)
    return dict(stored)


def adopt_left_over(path: Path) -> None:
    """A kill between writing a new pair and naming it leaves it beside the file: it is not lost. The lock is held."""
    for left in path.parent.glob(f".{path.name}.*"):
        try:
            found = json.loads(left.read_text(encoding="utf-8"))
            is_newer = (
                float(found["stored_at"]) > float(read_state(path).get("stored_at") or 0) and found["access_token"]
            )
        except (ValueError, KeyError, TypeError):
            is_newer = False  # cut short
        if is_newer:
            left.replace(path)
            sync_folder(path.parent)
        else:
            left.unlink(missing_ok=True)


def is_due(stored: Mapping[str, Any], at: float, rejected: str | None) -> bool:
    """Whether the stored pair has to be exchanged at that second."""
    if rejected is not None and rejected == stored["access_token"]:
        return True
    left = float(stored["expires_at"]) - at
    if stored.get("refreshing_since"):
        return left < LAST_MINUTES
    return left < BEFORE_EXPIRY or at - float(stored["stored_at"]) > REFRESH_AGE


def refreshed(
    settings: Settings, workspace: str, path: Path, stored: dict[str, Any], at: float, rejected: str | None
) -> dict[str, Any]:
    """The new pair, on disk. The lock is held. Where Salla does not answer, the old one as long as it lasts."""
    lasts = rejected != stored["access_token"] and float(stored["expires_at"]) > at
    try:
        client = client_fields(settings)
        refresh_token = stored.get("refresh_token")
        if not refresh_token:
            raise SalwaError(
                f"Salla gave no refresh token for {workspace} (scope offline_access is missing): {REINSTALL}"
            )
    except SalwaError:
        if lasts:
            return stored
        raise
    write_state(path, {**stored, "refreshing_since": stored.get("refreshing_since") or at})
    try:
        answer = ask_token(settings, {"grant_type": "refresh_token", "refresh_token": refresh_token, **client})
    except _NotSent as error:
        write_state(path, stored)
        if lasts:
            return stored
        raise SourceUnavailable(str(error)) from None
    except SourceUnavailable:
        if lasts:
            return {**stored, "refreshing_since": at}
        raise
    except SourceRefused as error:
        if str(error) == "invalid_grant":
            problem = refused_text(workspace, stored)
            write_state(path, {**stored, "broken": problem})
            raise Disconnected(problem, error.status) from None
        write_state(path, stored)  # the client is wrong, not the token
        raise
    fresh = {
        "merchant": stored.get("merchant"),
        "told_at": stored.get("told_at"),
        **pair(answer, at),
        "used": with_used(stored, answer),
    }
    fresh["scope"] = fresh["scope"] or stored.get("scope")
    write_state(path, fresh)
    return fresh


def refused_text(workspace: str, stored: Mapping[str, Any]) -> str:
    since = stored.get("refreshing_since")
    if since:
        began = datetime.fromtimestamp(float(since), UTC).isoformat(timespec="minutes")
        return (
            f"Salla no longer accepts the connection of workspace {workspace}: a refresh begun at {began} was interrupted "
            f"after Salla had exchanged the token, and its answer was lost; {REINSTALL}"
        )
    return (
        f"Salla no longer accepts the connection of workspace {workspace} (invalid_grant: the app was removed, or its "
        f"refresh token was used elsewhere or has ended); {REINSTALL}"
    )


class _NotSent(SourceUnavailable):
    """The question certainly was not dealt with: asking again is safe."""


def ask_token(settings: Settings, form: Mapping[str, str]) -> dict[str, Any]:
    """The token endpoint's answer. Asked once: whether it may be asked again is for the caller to know.

    Raises:
        SourceRefused: "invalid_grant", or what is wrong with the client.
        SourceUnavailable: no usable answer.
    """
    url = f"{settings.salla_accounts.rstrip('/')}/oauth2/token"
    try:
        answer = requests.post(
            url, data=form, headers={"Accept": "application/json"}, timeout=TIMEOUT, allow_redirects=False
        )
    except requests.ConnectTimeout:
        raise _NotSent(f"{url} cannot be reached") from None
    except requests.RequestException as error:
        cause = type(getattr(error.args[0] if error.args else None, "reason", None)).__name__
        kind = _NotSent if cause in ("NewConnectionError", "NameResolutionError") else SourceUnavailable
        raise kind(f"{url} did not answer: {type(error).__name__}") from None
    try:
        body = answer.json()
    except ValueError:
        body = None
    body = body if isinstance(body, dict) else {}
    if answer.status_code == 200 and text(body.get("access_token")):
        return body
    error = body.get("error")
    code = str(error.get("code") if isinstance(error, dict) else error or "")
    if code == "invalid_grant":
        raise SourceRefused("invalid_grant", answer.status_code)
    if answer.status_code in (408, 429, 503):
        raise _NotSent(f"{url} answers {answer.status_code}; it is asked again with the next run")
    if 400 <= answer.status_code < 500:
        raise SourceRefused(
            f"{url} answers {answer.status_code} ({code or 'no reason'}): check SALWA_SALLA_CLIENT_ID and "
            "SALWA_SALLA_CLIENT_SECRET",
            answer.status_code,
        )
    raise SourceUnavailable(f"{url} answers {answer.status_code}")


def client_fields(settings: Settings) -> dict[str, str]:
    secret = settings.salla_client_secret.get_secret_value() if settings.salla_client_secret else ""
    if not settings.salla_client_id or not secret:
        raise SalwaError(
            "SALWA_SALLA_CLIENT_ID and SALWA_SALLA_CLIENT_SECRET are not both set: Salla gives no tokens without them; the "
            "app's page in Salla Partners shows them"
        )
    return {"client_id": settings.salla_client_id, "client_secret": secret}


def authorize_url(settings: Settings, redirect_uri: str, scope: str, state: str) -> str:
    """Where the merchant agrees, in custom mode. Salla takes hyphens out of `state`, so give none."""
    fields = {
        "client_id": client_fields(settings)["client_id"],
        "response_type": "code",
        "redirect_uri": redirect_uri,
        "scope": scope,
        "state": state,
    }
    return f"{settings.salla_accounts.rstrip('/')}/oauth2/auth?{urlencode(fields)}"


def exchange_code(settings: Settings, workspace: str, code: str, redirect_uri: str, now: datetime | None = None) -> str:
    """Custom mode: the code that came back from the log-in, exchanged for tokens, which are stored.

    Nothing is stored before it is known whose store they open: another log-in costs a minute, while the tokens of
    another store in this workspace would mix two shops.

    Returns:
        The store's id.

    Raises:
        SalwaError: the store is not this workspace's, or is already another's, or Salla does not say which it is.
        SourceRefused: the code is used, old or not ours.
        SourceUnavailable: Salla did not answer.
    """
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri, **client_fields(settings)}
    try:
        answer = ask_token(settings, form)
    except SourceRefused as error:
        if str(error) != "invalid_grant":
            raise
        raise SourceRefused(
            "Salla does not accept the code: it works once and only for minutes; log in again", 400
        ) from None
    merchant = merchant_of(settings, str(answer["access_token"]))
    if merchant is None:
        raise SalwaError("Salla does not say which store this log-in opens, so nothing was stored; log in again")
    if other := workspace_of_store(settings, merchant, workspace):
        raise SalwaError(f"Salla store {merchant} is workspace {other} already; nothing was stored")
    store_tokens(settings, workspace, merchant, answer, now)
    return merchant


def workspace_of_store(settings: Settings, merchant: str, but: str) -> str | None:
    """The workspace, other than `but`, that the store is connected to."""
    for one in settings.workspaces():
        known = connection(settings, one.name) if one.name != but else None
        if known is not None and known.merchant == merchant:
            return one.name
    return None


def merchant_of(settings: Settings, token: str) -> str | None:
    """The id of the store that a token opens; None where Salla does not say, asked in two places."""
    session = requests.Session()
    session.headers.update({"Authorization": f"Bearer {token}", "Accept": "application/json"})
    for url in (
        f"{settings.salla_accounts.rstrip('/')}/oauth2/user/info",
        f"{settings.salla_api.rstrip('/')}/store/info",
    ):
        try:
            body = get(session, url).json()
        except (SourceRefused, SourceUnavailable, ValueError):
            continue
        inner = body.get("data", body) if isinstance(body, dict) else {}  # with the envelope or without
        merchant = inner.get("merchant") if isinstance(inner, dict) and url.endswith("/user/info") else inner
        found = merchant.get("id") if isinstance(merchant, dict) else None
        if found is not None:
            return str(found)
    return None


def pair(tokens: Mapping[str, Any], at: float) -> dict[str, Any]:
    return {
        "access_token": str(tokens["access_token"]),
        "refresh_token": text(tokens.get("refresh_token")),
        "scope": text(tokens.get("scope")) or "",
        "expires_at": expiry(tokens, at),
        "stored_at": at,
    }


def expiry(tokens: Mapping[str, Any], at: float) -> float:
    """Seconds since 1970 at which the access token ends."""
    for key in ("expires", "expires_in"):
        try:
            value = float(tokens.get(key) or 0)
        except (TypeError, ValueError):
            continue
        if value > ABSOLUTE:
            return value
        if value > 0:
            return at + value
    return at + ACCESS_LIFE


def with_used(before: Mapping[str, Any], tokens: Mapping[str, Any]) -> list[str]:
    """Fingerprints of the refresh tokens this store has had, so that a late delivery brings none of them back."""
    used = [*before.get("used", []), fingerprint(tokens.get("refresh_token") or tokens["access_token"])]
    return used[-USED_KEPT:]


def fingerprint(token: object) -> str:
    return hashlib.sha256(str(token).encode()).hexdigest()[:32]


def text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def private_folder(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.parent.chmod(0o700)
