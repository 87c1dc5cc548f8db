"""`salwa check salla`: what is missing before data flows, in plain words."""

from __future__ import annotations

from datetime import UTC, datetime

import requests

from ingestion.errors import SalwaError
from ingestion.http import TIMEOUT
from ingestion.pulling import Finding
from ingestion.salla.asking import message_of
from ingestion.salla.sorting import unsorted_line
from ingestion.salla.tokens import Connection, access_token, connection
from ingestion.settings import Settings
from ingestion.state import read_state, state_file

# (the call, what it is for)
CALLS = (
    ("/orders", "orders", "orders.read"),
    ("/customers", "customers", "customers.read"),
    ("/products", "products", "products.read"),
    ("/carts/abandoned", "abandoned carts", "carts.read"),
    ("/transactions", "payments", "transactions.read"),
    ("/settings/fields/reports.order_statuses", "statuses ticked for reports", "store-settings.read"),
)


def check_salla(settings: Settings, workspace: str, now: datetime | None = None) -> list[Finding]:
    """Look at the settings, the connection, each permission, and how far the last pull came. Nothing lands."""
    found = settings_findings(settings)
    known = connection(settings, workspace)
    if known is None:
        advice = (
            "an app in custom mode: run `salwa salla-login`. An app in easy mode: install it in the store while `salwa "
            "receive` runs, for Salla sends the tokens as a webhook"
        )
        return [*found, Finding(f"store: not connected, workspace {workspace} has no tokens", False, advice)]
    at = now or datetime.now(UTC)
    found.extend(connection_findings(known, at))
    try:
        token = access_token(settings, workspace, at)
        if is_token_refused(settings, token):  # as a pull does: the app may have been removed meanwhile
            token = access_token(settings, workspace, at, rejected=token)
    except SalwaError as error:
        return [*found, Finding("store: the tokens do not open it", False, str(error))]
    return [*found, *call_findings(settings, token, known), *state_findings(settings, workspace)]


def is_token_refused(settings: Settings, token: str) -> bool:
    """Whether Salla refuses the token itself, not only a permission of it."""
    told = probe(settings, "/store/info", token)
    return isinstance(told, str) and told.startswith("Salla answers 401") and "scope" not in told.lower()


def settings_findings(settings: Settings) -> list[Finding]:
    if settings.salla_client_id and settings.salla_client_secret:
        return [Finding("app: its client id and secret are set", True)]
    advice = "set SALWA_SALLA_CLIENT_ID and SALWA_SALLA_CLIENT_SECRET from the app's page in Salla Partners"
    return [Finding("app: its client id or secret is not set", False, advice)]


def connection_findings(known: Connection, at: datetime) -> list[Finding]:
    found = []
    if known.interrupted_at and not known.broken:
        advice = (
            "its answer never came, so the tokens may be spent: before the access token ends, reinstall the app or run "
            "`salwa salla-login`"
        )
        what = f"tokens: a renewal begun at {shown(known.interrupted_at)} was interrupted"
        found.append(Finding(what, False, advice))
    if known.scope and "offline_access" not in known.scope.split():
        advice = "tick offline_access among the app's scopes too, then install the app again or run `salwa salla-login`"
        found.append(Finding("tokens: they cannot be renewed", False, advice))
    if known.expires_at > at.timestamp():
        found.append(Finding(f"tokens: good until {shown(known.expires_at)}, and renewed before", True))
    return found


def shown(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"


def call_findings(settings: Settings, token: str, known: Connection) -> list[Finding]:
    """Whether each call that a pull needs is answered."""
    answer = probe(settings, "/store/info", token)
    if isinstance(answer, str):
        return [Finding("store: it does not answer", False, answer)]
    try:
        store = answer.json().get("data") or {}
        name, merchant, plan = store.get("name"), store.get("id"), store.get("plan")
    except (ValueError, AttributeError):
        return [
            Finding(
                "store: it answers, but not in JSON", False, f"is {settings.salla_api} Salla? Check SALWA_SALLA_API"
            )
        ]
    is_ours = known.merchant is None or str(merchant) == known.merchant
    advice = f"the workspace is store {known.merchant}: log in there, or install the app there"
    what = f"store: {name}, number {merchant}, plan {plan}" + ("" if is_ours else "; that is another store")
    found = [Finding(what, is_ours, "" if is_ours else advice)]
    for path, what, scope in CALLS:
        told = probe(settings, path, token)
        if isinstance(told, str):
            advice = (
                f"{told}. If it is the permission: tick {scope} among the app's scopes, then reinstall or log in again"
            )
            found.append(Finding(f"{what}: cannot be read", False, advice))
        else:
            found.append(Finding(f"{what}: can be read", True))
    return found


def probe(settings: Settings, path: str, token: str) -> requests.Response | str:
    """The good answer of a call, or why there is none."""
    url = settings.salla_api.rstrip("/") + path
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    try:
        answer = requests.get(url, headers=headers, timeout=TIMEOUT, allow_redirects=False)
    except requests.RequestException as error:
        return f"{url} cannot be reached: {type(error).__name__}"
    if answer.status_code == 200:
        return answer
    return f"Salla answers {answer.status_code} {message_of(answer)[:200]}".strip()


def state_findings(settings: Settings, workspace: str) -> list[Finding]:
    state = read_state(state_file(settings.data, workspace, "salla"))
    plan = state.get("backfill", {})
    known = sum(len(orders) for orders in state.get("orders", {}).values())
    if not plan:
        return [Finding("history: nothing was fetched yet; `salwa refresh` does", True)]
    how_far = (
        "history: complete" if plan.get("is_done") else f"history: there back to {plan.get('day')}, the next runs go on"
    )
    waiting = len(set(state.get("queue", {})) | set(state.get("histories", {})))
    found = [Finding(f"{how_far}; {known} orders known, {waiting} wait for their details", True)]
    for sort_by in sorted(state.get("unsorted", {})):
        found.append(Finding("lists: orders are not sorted as asked", False, unsorted_line(sort_by)))
    return found
