"""`/refresh`, for people: a signed link starts a refresh, the page says how it goes and leads back.

Opening the link starts nothing, so a messenger that looks at it for a preview does no harm: the page's script, or the
button where there is none, posts to it.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from html import escape
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from dashboards.refresh_link import is_genuine
from dashboards.serving import open_serving, query
from dashboards.spec import LANGUAGES, texts
from ingestion.errors import SalwaError
from ingestion.settings import Settings
from orchestration.button import press, state_of


def routes(settings: Settings) -> list[Route]:
    """The routes the receiver's service takes in."""

    def page(request: Request) -> Response:
        language, back = genuine(settings, request)
        if not language:
            return refused(settings)
        state = press(settings) if request.method == "POST" else state_of(settings)
        return shown(settings, request, language, back, state)

    def status(request: Request) -> Response:
        language, _back = genuine(settings, request)
        if not language:
            return refused(settings)
        state = press(settings) if request.method == "POST" else state_of(settings)
        return JSONResponse(
            {"state": state, "text": words(settings, language, state)}, headers={"cache-control": "no-store"}
        )

    return [
        Route("/refresh", page, methods=["GET", "POST"]),
        Route("/refresh/status", status, methods=["GET", "POST"]),
    ]


def genuine(settings: Settings, request: Request) -> tuple[str, str]:
    """Language and way back of a genuine link; two empty texts for any other."""
    language, back, given = (request.query_params.get(name, "") for name in ("lang", "back", "sig"))
    if settings.refresh_secret is None or language not in LANGUAGES:
        return "", ""
    return (
        (language, back) if is_genuine(settings.refresh_secret.get_secret_value(), language, back, given) else ("", "")
    )


def refused(settings: Settings) -> Response:
    if settings.refresh_secret is None:
        return Response("SALWA_REFRESH_SECRET is not set", 503, media_type="text/plain")
    return Response("this link is not one of ours", 403, media_type="text/plain")


def words(settings: Settings, language: str, state: str) -> str:
    """The state in one sentence of the reader's language."""
    found = texts(language)["refresh"][state]
    return found.replace("{as_of}", clock_of(settings)) if "{as_of}" in found else found


def clock_of(settings: Settings) -> str:
    """The instant of what is served, on the first workspace's clock; a dash where nothing is."""
    try:
        with open_serving(settings) as connection:
            as_of: datetime | None = query(connection, "select min(as_of) from facts.dim_workspaces").rows[0][0]
    except SalwaError:
        return "–"
    if as_of is None:
        return "–"
    local = as_of.astimezone(settings.workspaces()[0].zone)
    today = datetime.now(UTC).astimezone(settings.workspaces()[0].zone).date()
    return f"{local:%H:%M}" if local.date() == today else f"{local:%Y-%m-%d %H:%M}"


def shown(settings: Settings, request: Request, language: str, back: str, state: str) -> HTMLResponse:
    nonce = secrets.token_urlsafe(16)
    catalogue = texts(language)
    query = escape(request.url.query, quote=True)
    html = PAGE
    for name, value in {
        "language": language,
        "direction": "rtl" if language == "ar" else "ltr",
        "nonce": nonce,
        "title": escape(catalogue["refresh"]["title"]),
        "text": escape(words(settings, language, state)),
        "state": state,
        "query": query,
        "press": escape(catalogue["refresh"]["press"]),
        "back": way_back(back, catalogue),
    }.items():
        html = html.replace(f"%{name}%", value)
    policy = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    headers = {"content-security-policy": policy, "cache-control": "no-store", "referrer-policy": "no-referrer"}
    return HTMLResponse(html, headers=headers)


def way_back(back: str, catalogue: dict[str, Any]) -> str:
    """A link back; none where the address is no web address (the signature says it is ours, not that it is safe)."""
    if urlsplit(back).scheme not in ("http", "https"):
        return ""
    return f'<a href="{escape(back, quote=True)}">{escape(catalogue["refresh"]["back"])}</a>'


PAGE = """<!doctype html>
<html lang="%language%" dir="%direction%">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>%title%</title>
<style nonce="%nonce%">
:root { color-scheme: light dark; --ink: #10312b; --soft: #5d716c; --paper: #f5f7f6; --card: #fff; --accent: #0f7b63; --bad: #a83232 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8f1ee; --soft: #9db3ac; --paper: #0f1715; --card: #17211f; --accent: #41c7a4; --bad: #ff8d80 }
}
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--paper); color: var(--ink);
  font: 1.05rem/1.6 "IBM Plex Sans Arabic", "Noto Sans Arabic", system-ui, "Segoe UI", Tahoma, sans-serif }
main { background: var(--card); border-radius: 16px; padding: 2.5rem; max-width: 26rem; text-align: center;
  box-shadow: 0 1px 2px #0002, 0 12px 40px #0001; margin: 1rem }
h1 { font-size: 1.25rem; margin: 0 0 .75rem }
p { margin: 0 0 1.5rem; color: var(--soft) }
main[data-state=failed] p { color: var(--bad) }
a, button { display: inline-block; font: inherit; font-weight: 600; border: 0; border-radius: 10px; padding: .6rem 1.4rem;
  background: var(--accent); color: var(--card); text-decoration: none; cursor: pointer }
a:focus-visible, button:focus-visible { outline: 3px solid var(--ink); outline-offset: 2px }
.spin { display: none; width: 2rem; height: 2rem; margin: 0 auto 1rem; border-radius: 50%;
  border: 3px solid color-mix(in srgb, var(--accent) 25%, transparent); border-top-color: var(--accent) }
main[data-state=updating] .spin { display: block; animation: turn 1s linear infinite }
@keyframes turn { to { transform: rotate(1turn) } }
@media (prefers-reduced-motion: reduce) { .spin { animation: none !important } }
</style>
</head>
<body>
<main data-state="%state%">
<div class="spin" aria-hidden="true"></div>
<h1>%title%</h1>
<p role="status" aria-live="polite">%text%</p>
%back%
<noscript><form method="post" action="/refresh?%query%"><button>%press%</button></form></noscript>
</main>
<script nonce="%nonce%">
const main = document.querySelector("main"), text = document.querySelector("p");
const ask = async method => {
  try {
    const told = await (await fetch("/refresh/status" + location.search, { method })).json();
    main.dataset.state = told.state; text.textContent = told.text;
    if (told.state === "updating") setTimeout(ask, 1500, "GET");
  } catch { setTimeout(ask, 5000, "GET"); }
};
ask("POST");
</script>
</body>
</html>
"""
