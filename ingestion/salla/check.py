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
    ("/settings/fields/reports.order_statuses", "the statuses ticked for reports", "store-settings.read"),
)


def check_salla(settings: Settings, workspace: str, now: datetime | None = None) -> list[Finding]:
    """Look at the settings, the connection, each permission, and how far the last pull came. Nothing lands."""
    found = settings_findings(settings)
    known = connection(settings, workspace)
    if known is None:
        advice = (
            "install the app in the store while `salwa receive` takes Salla's webhooks (app.store.authorize brings the "
            "tokens), or log in once in custom mode"
        )
        return [*found, Finding(f"workspace {workspace} has no Salla tokens", False, advice)]
    at = now or datetime.now(UTC)
    found.extend(connection_findings(known, at))
    try:
        token = access_token(settings, workspace, at)
    except SalwaError as error:
        return [*found, Finding("the tokens do not open the store", False, str(error))]
    return [*found, *call_findings(settings, token, known), *state_findings(settings, workspace)]


def settings_findings(settings: Settings) -> list[Finding]:
    has_client = bool(settings.salla_client_id and settings.salla_client_secret)
    advice = (
        ""
        if has_client
        else "set SALWA_SALLA_CLIENT_ID and SALWA_SALLA_CLIENT_SECRET from the app's page at Salla Partners"
    )
    return [Finding("the app's client id and secret are set", has_client, advice)]


def connection_findings(known: Connection, at: datetime) -> list[Finding]:
    found = []
    if known.interrupted_at and not known.broken:
        began = datetime.fromtimestamp(known.interrupted_at, UTC).isoformat(timespec="minutes")
        advice = "its answer never came, so the token may be spent: reinstall the app before the access token ends"
        found.append(Finding(f"a refresh of the tokens begun at {began} was interrupted", False, advice))
    if known.scope and "offline_access" not in known.scope.split():
        advice = "ask for offline_access too, and install the app again"
        found.append(Finding("the tokens cannot be renewed", False, advice))
    ends = datetime.fromtimestamp(known.expires_at, UTC).isoformat(timespec="minutes")
    found.append(
        Finding(f"the access token lasts until {ends}", known.expires_at > at.timestamp(), "it is renewed now")
    )
    return found


def call_findings(settings: Settings, token: str, known: Connection) -> list[Finding]:
    """Whether each call that a pull needs is answered."""
    answer = probe(settings, "/store/info", token)
    if isinstance(answer, str):
        return [Finding("the store answers", False, answer)]
    try:
        store = answer.json().get("data") or {}
        name, merchant, plan = store.get("name"), store.get("id"), store.get("plan")
    except (ValueError, AttributeError):
        return [Finding("the store answers", False, f"but not in JSON: is {settings.salla_api} Salla?")]
    is_ours = known.merchant is None or str(merchant) == known.merchant
    advice = "" if is_ours else f"the workspace belongs to store {known.merchant}; install the app there"
    found = [Finding(f"the tokens open store {merchant} ({name}, plan {plan})", is_ours, advice)]
    for path, what, scope in CALLS:
        told = probe(settings, path, token)
        found.append(
            Finding(
                f"{what} can be read",
                not isinstance(told, str),
                f"{told}; the permission is {scope}" if isinstance(told, str) else "",
            )
        )
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
        return [Finding("nothing was pulled yet", True)]
    how_far = (
        "the history of orders is complete"
        if plan.get("is_done")
        else f"the history of orders is there back to {plan.get('day')}"
    )
    waiting = len(set(state.get("queue", {})) | set(state.get("histories", {})))
    found = [Finding(f"{how_far}: {known} orders known, {waiting} wait for their details", True)]
    for sort_by in sorted(state.get("unsorted", {})):
        found.append(Finding("lists of orders are not sorted as asked", False, unsorted_line(sort_by)))
    return found
