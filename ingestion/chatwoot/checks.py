"""`salwa check chatwoot`: what is missing before Chatwoot's data flows, in plain words."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import requests

from ingestion.chatwoot.api import Api, listed, open_api
from ingestion.errors import SalwaError
from ingestion.http import ComeBackLater, SourceRefused, SourceUnavailable
from ingestion.pulling import Finding
from ingestion.settings import Settings, Workspace

WANTED_EVENTS = (
    "conversation_created",
    "conversation_status_changed",
    "conversation_updated",
    "message_created",
    "message_updated",
)


def check_chatwoot(
    settings: Settings,
    workspace: Workspace,
    sleep: Callable[[float], None] = time.sleep,
    session: requests.Session | None = None,
) -> list[Finding]:
    """Look at the settings, the address, the token, the account, its rights, inboxes and webhook; stop at the first that
    makes the others impossible."""
    try:
        api = open_api(settings, workspace, datetime.now(UTC), sleep, session)
    except SalwaError as error:
        return [Finding("Chatwoot: not set up", False, f"{error}; docs/sources/chatwoot.md says where each is found")]
    found = [Finding("settings: address, account and token are set", True)]
    try:
        profile = api.ask_at(f"{api.url}/api/v1/profile", "/profile", {}).data
    except (SourceUnavailable, ComeBackLater) as error:
        return [
            *found,
            Finding("address: no answer", False, f"{error}. Is SALWA_CHATWOOT_URL right, and reachable from here?"),
        ]
    except SourceRefused as error:
        if error.status in (401, 403):
            return [*found, Finding(f"address: {api.url} answers", True), Finding("token: refused", False, str(error))]
        return [*found, Finding(f"address: it answers {error.status}", False, str(error))]
    found += [Finding(f"address: {api.url} answers", True), Finding("token: known", True)]
    account = account_of(profile, api.account)
    if account is None:
        names = ", ".join(f"{one.get('id')} ({one.get('name')})" for one in accounts_of(profile)) or "none"
        advice = f"set SALWA_CHATWOOT_ACCOUNT to one the token can see: {names}"
        return [*found, Finding(f"account: {api.account} is not the token's", False, advice)]
    found.append(Finding(f"account: {api.account} ({account.get('name')})", True))
    is_admin = account.get("role") == "administrator"
    advice = "" if is_admin else "take the access token of an administrator: others see only their own inboxes"
    found.append(Finding(f"rights: {account.get('role')}", is_admin, advice))
    return [*found, check_inboxes(api), check_webhook(api)]


def check_inboxes(api: Api) -> Finding:
    try:
        inboxes = listed(api.ask("/inboxes").data)
    except SalwaError as error:
        return Finding("inboxes: cannot be listed", False, str(error))
    whatsapp = [one for one in inboxes if "whatsapp" in str(one.get("channel_type")).lower() or one.get("phone_number")]
    names = ", ".join(str(one.get("name")) for one in inboxes)
    if not inboxes:
        return Finding("inboxes: none", False, "create an inbox in Chatwoot, or give the token's user access to one")
    return Finding(f"inboxes: {len(inboxes)} ({names}), {len(whatsapp)} of them WhatsApp", True)


def check_webhook(api: Api) -> Finding:
    """Webhooks are not needed for completeness, but tell within minutes, and who tagged and closed."""
    advice = (
        "in Chatwoot, Settings > Integrations > Webhooks, add https://<where salwa receive runs>/webhooks/chatwoot with "
        "all conversation and message events: without it, numbers follow hourly and some changes name nobody"
    )
    try:
        webhooks = listed((api.ask("/webhooks").data or {}).get("payload", {}).get("webhooks"))
    except (SalwaError, AttributeError):
        return Finding("webhook: cannot be listed", False, f"only an administrator can see webhooks; {advice}")
    ours = [one for one in webhooks if "/webhooks/chatwoot" in str(one.get("url"))]
    if not ours:
        return Finding("webhook: not registered", False, advice)
    events = {event for one in ours for event in one.get("subscriptions") or []}
    if lacking := [event for event in WANTED_EVENTS if event not in events]:
        return Finding("webhook: does not tell everything", False, f"tick also {', '.join(lacking)}")
    return Finding("webhook: registered", True)


def accounts_of(profile: Any) -> list[dict[str, Any]]:
    found = profile.get("accounts") if isinstance(profile, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def account_of(profile: Any, account: str) -> dict[str, Any] | None:
    return next((one for one in accounts_of(profile) if str(one.get("id")) == account), None)
