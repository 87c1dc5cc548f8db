"""Pulling Meta's Graph: numbers, templates, and Meta's own counts and costs. It never gives messages back.

Counts are by the day, within a look-back of a year. A day is asked for again while it may still change; the others once.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import requests

from ingestion import http
from ingestion.erasing.lines import cleaner
from ingestion.errors import SalwaError
from ingestion.http import ComeBackLater, SourceRefused, SourceUnavailable
from ingestion.pulling import Finding, Lander, Pulled, stay_away, told_to_stay_away
from ingestion.settings import Settings, Workspace
from ingestion.state import locked, read_state, state_file, write_state

LOOK_BACK = timedelta(days=364)  # Graph refuses more than a year; a day less, for its clock is not ours
AGAIN = timedelta(days=3)  # the last days change still
CHUNK = timedelta(days=30)  # of one question
PAGE = 100
MOST_PAGES = 1000
ASKED_AGAIN = 2
PAUSE = 2.0
THROTTLE_WAITS = (60.0, 120.0, 300.0, 600.0)
THROTTLED = frozenset({4, 17, 32, 613, 80007, 80008, 130429})
TOKEN_CODES = frozenset({0, 102, 190})
RIGHTS_CODES = frozenset({3, 10, *range(200, 300)})
# the same word is spelt differently by each
FIELDS = {
    "pricing_analytics": '.granularity(DAILY).dimensions(["PRICING_CATEGORY","PRICING_TYPE","COUNTRY","PHONE","TIER"])',
    "conversation_analytics": (
        ".granularity(DAILY).dimensions("
        '["CONVERSATION_CATEGORY","CONVERSATION_TYPE","CONVERSATION_DIRECTION","COUNTRY","PHONE"])'
    ),
    "analytics": ".granularity(DAY)",
}


@dataclass
class Graph:
    """Graph, asked with one token."""

    url: str
    session: requests.Session
    sleep: Callable[[float], None]
    clock: Callable[[], datetime]
    problems: list[str] = field(default_factory=list)

    def ask(self, path: str, **params: Any) -> tuple[str, requests.Response, Any, datetime]:
        """(the call, the answer, what it holds, when it came) of GET <path>.

        Raises:
            SourceRefused: a person has to mend something, or the question was wrong (status 400, with Graph's own words).
            SourceUnavailable: no readable answer, or throttled for too long.
        """
        kind = f"GET {path}" + (f"?{urlencode(params, safe='(),.[]')}" if params else "")
        for wait in (*THROTTLE_WAITS, None):
            answer = self._answer(path, params)
            data = readable(answer)
            at = self.clock()
            error = error_of(data)
            if error is None and answer.ok and isinstance(data, dict):
                return kind, answer, data, at
            if error is None and answer.ok:
                raise SourceUnavailable(f"{self.url}{path} answers, but not as Graph does")
            if code_of(error or {}) not in THROTTLED:
                raise refusal(error or {}, answer.status_code, self.url)
            if wait is not None:
                self.sleep(wait)
        raise SourceUnavailable("Graph limits how often it may be asked; the next run asks again")

    def _answer(self, path: str, params: dict[str, Any]) -> requests.Response:
        """The answer, a refusal too: its body says why."""
        told: list[requests.Response] = []
        try:
            return http.get(self.session, f"{self.url}{path}", params, sleep=self.sleep, on_answer=told.append)
        except SourceRefused:
            return told[-1]


def pull_graph(
    settings: Settings,
    workspace: Workspace,
    now: datetime,
    sleep: Callable[[float], None] = time.sleep,
    *,
    session: requests.Session | None = None,
    clock: Callable[[], datetime] | None = None,
) -> Pulled:
    """Land numbers, templates, and the counts and costs of days not yet fetched and of the last three.

    Args:
        now: the moment the run starts, with a zone.
        session, clock: for tests; how to ask, and the moment an answer comes.

    Raises:
        SourceRefused: the token is expired or lacks a right; the line says what to do.
        SourceUnavailable: Graph does not answer; what it gave before that is landed.
        SalwaError: a setting is missing.
    """
    graph = open_graph(settings, workspace, now, sleep, session, clock)
    path = state_file(settings.data, workspace.name, "graph")
    pulled = Pulled(problems=graph.problems)
    with locked(path):
        state = read_state(path)
        if line := told_to_stay_away(state, "Graph", graph.clock()):
            return Pulled(problems=[line])
        state.pop("not_before", None)
        # one file per business account: what an account gave is landed before it is remembered
        for account in accounts_of(workspace):
            known = dict(state.get(account, {}))
            clean = cleaner(settings, workspace.name, "whatsapp")
            with Lander(settings.landing, workspace.name, "whatsapp", account, now, clean=clean) as lander:
                try:
                    pull_account(graph, account, known, now, lander, pulled)
                except ComeBackLater as later:
                    graph.problems.append(stay_away(state, "Graph", graph.clock(), later.seconds))
            pulled.pages += lander.lines
            state[account] = known
            write_state(path, state)
            if "not_before" in state:
                return pulled
        write_state(path, state | {"last_success": graph.clock().isoformat()})
    return pulled


def pull_account(
    graph: Graph, account: str, known: dict[str, str], now: datetime, lander: Lander, pulled: Pulled
) -> None:
    for edge in ("phone_numbers", "message_templates"):
        for kind, answer, data, at in pages(graph, f"/{account}/{edge}"):
            lander.land(kind, answer.content, at)
            pulled.objects += len(data.get("data") or [])
    for name, how in FIELDS.items():
        try:
            for start, end in spans(known.get(name), now):
                question = f"{name}.start({int(start.timestamp())}).end({int(end.timestamp())}){how}"
                kind, answer, data, at = graph.ask(f"/{account}", fields=question)
                lander.land(kind, answer.content, at)
                pulled.objects += count_points(data.get(name))
                known[name] = end.isoformat()
        except SourceRefused as refused:
            if refused.status != 400:
                raise
            # one kind of count may not exist for this account or version; the others do
            graph.problems.append(f"{name} of {account}: {refused}")


def pages(graph: Graph, path: str) -> Iterator[tuple[str, requests.Response, Any, datetime]]:
    """All pages of a list, by cursor. An empty first page is asked for again."""
    after: str | None = None
    seen: set[str] = set()
    for _ in range(MOST_PAGES):
        params = {"limit": PAGE} | ({"after": after} if after else {})
        for _ in range(1 + ASKED_AGAIN):
            found = graph.ask(path, **params)
            if found[2].get("data"):
                break
            graph.sleep(PAUSE)
        yield found
        paging = found[2].get("paging")
        cursors = paging.get("cursors") if isinstance(paging, dict) else None
        after = cursors.get("after") if isinstance(cursors, dict) else None
        if not isinstance(paging, dict) or not paging.get("next") or not after:
            return
        if after in seen:
            graph.problems.append(f"{path}: Graph shows the same page again and again; the rest is not read")
            return
        seen.add(after)


def spans(fetched_to: str | None, now: datetime) -> list[tuple[datetime, datetime]]:
    """The days to ask for, oldest first, in stretches of at most 30: whole days in UTC, today up to now."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    start = midnight - LOOK_BACK
    if fetched_to:
        day = datetime.fromisoformat(fetched_to).replace(hour=0, minute=0, second=0, microsecond=0)
        start = max(start, min(day, midnight) - AGAIN)
    found = []
    while start < now:
        end = min(start + CHUNK, now.astimezone(UTC).replace(microsecond=0))
        if end <= start:
            break
        found.append((start, end))
        start = end
    return found


def count_points(told: Any) -> int:
    """Points of an answer: `analytics` holds them itself, the others in a list around it."""
    if not isinstance(told, dict):
        return 0
    groups = told.get("data") if isinstance(told.get("data"), list) else [told]
    return sum(len(one.get("data_points") or []) for one in groups if isinstance(one, dict))


def readable(answer: requests.Response) -> Any:
    try:
        return json.loads(answer.content)
    except ValueError:
        return None


def error_of(data: Any) -> dict[str, Any] | None:
    """The error that an answer holds; some come with status 200."""
    found = data.get("error") if isinstance(data, dict) else None
    return found if isinstance(found, dict) else None


def code_of(error: dict[str, Any]) -> int | None:
    try:
        return int(error.get("code"))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None


def refusal(error: dict[str, Any], status: int, url: str) -> SourceRefused:
    """What Graph's refusal means, by its code: titles change."""
    code = code_of(error)
    if code in TOKEN_CODES or (code is None and status == 401):
        return SourceRefused(
            "Meta refuses the token: it has expired or was taken back. Make a new one for a system user (Business settings, "
            "System users; it does not expire) and set SALWA_WHATSAPP_GRAPH_TOKEN",
            401,
        )
    if code in RIGHTS_CODES or (code is None and status == 403):
        return SourceRefused(
            "Meta does not let this token read the business account: give its system user the account in Business settings "
            "and the right whatsapp_business_management, then make the token anew",
            403,
        )
    if code == 100 and error.get("error_subcode") == 33:
        return SourceRefused(
            "Meta knows no such business account, or does not show it to this token: check SALWA_WHATSAPP_BUSINESS_ACCOUNT "
            "(WhatsApp Manager shows its id)",
            404,
        )
    if status == 404 or 300 <= status < 400:
        return SourceRefused(f"{url} is not Graph: check SALWA_WHATSAPP_GRAPH_URL", 404)
    return SourceRefused(f"Graph answers {code or status}: {str(error.get('message') or '')[:200]}", 400)


def accounts_of(workspace: Workspace) -> list[str]:
    return list(dict.fromkeys(workspace.whatsapp_business_account))


def open_graph(
    settings: Settings,
    workspace: Workspace,
    now: datetime,
    sleep: Callable[[float], None],
    session: requests.Session | None = None,
    clock: Callable[[], datetime] | None = None,
) -> Graph:
    """Graph with the workspace's token.

    Raises:
        SalwaError: a setting is missing.
    """
    token = workspace.whatsapp_graph_token or settings.whatsapp_graph_token
    secret = token.get_secret_value() if token else ""
    wanted = {
        "SALWA_WHATSAPP_GRAPH_TOKEN": secret,
        "SALWA_WHATSAPP_BUSINESS_ACCOUNT": accounts_of(workspace),
    }
    if missing := [name for name, value in wanted.items() if not value]:
        raise SalwaError(f"{', '.join(missing)} of workspace {workspace.name} not set: without it Graph is not asked")
    found = session or requests.Session()
    found.headers["Authorization"] = f"Bearer {secret}"
    started = time.monotonic()
    return Graph(
        url=settings.whatsapp_graph_url.rstrip("/"),
        session=found,
        sleep=sleep,
        clock=clock or (lambda: now + timedelta(seconds=time.monotonic() - started)),
    )


def check_whatsapp(
    settings: Settings,
    workspace: Workspace,
    sleep: Callable[[float], None] = time.sleep,
    session: requests.Session | None = None,
) -> list[Finding]:
    """Look at the settings, the token, each business account, its numbers and its webhook."""
    try:
        graph = open_graph(settings, workspace, datetime.now(UTC), sleep, session)
    except SalwaError as error:
        if workspace.whatsapp_graph_token or settings.whatsapp_graph_token or accounts_of(workspace):  # half set
            return [Finding("Graph: not set up", False, str(error))]
        advice = f"{error}. Messages come without it; the names of numbers, templates, and costs do not"
        return [Finding("Graph: not asked, which is fine", True, advice)]
    found = [Finding("Graph: token and business account are set", True)]
    for account in accounts_of(workspace):
        found += check_account(graph, account)
    return found


def check_account(graph: Graph, account: str) -> list[Finding]:
    try:
        numbers = [one for page in pages(graph, f"/{account}/phone_numbers") for one in page[2].get("data") or []]
    except SalwaError as error:
        return [Finding(f"account {account}: cannot be read", False, str(error))]
    names = ", ".join(f"{one.get('display_phone_number')} ({one.get('verified_name')})" for one in numbers)
    found = [
        Finding(f"account {account}: can be read", True),
        Finding(f"numbers of {account}: {names or 'none'}", bool(numbers), "" if numbers else "add a number to it"),
    ]
    advice = (
        f"subscribe an app to the account (POST /{account}/subscribed_apps with the token) and its field `messages` to "
        "https://<where salwa receive runs>/webhooks/whatsapp: messages come only that way, and never again later"
    )
    try:
        apps = graph.ask(f"/{account}/subscribed_apps")[2].get("data")
    except SalwaError as error:
        return [*found, Finding(f"webhook of {account}: cannot be seen", False, f"{error}; {advice}")]
    return [
        *found,
        Finding(f"webhook of {account}: subscribed by {app_names(apps)}", bool(apps), "" if apps else advice),
    ]


def app_names(apps: Any) -> str:
    """The subscribed apps, so that a person sees whether theirs is among them."""
    told = [one.get("whatsapp_business_api_data") for one in apps or [] if isinstance(one, dict)]
    names = [str(one.get("name") or one.get("id")) for one in told if isinstance(one, dict)]
    return ", ".join(names) or "no app"
