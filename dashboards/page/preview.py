"""`salwa dashboards preview`: the page of what is served now, as a file or on localhost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock

from dashboards.page.write import page_text, write_page
from dashboards.refresh_link import refresh_url
from dashboards.serving import open_serving, query, serving_version
from dashboards.spec import LANGUAGES
from ingestion.errors import SalwaError
from ingestion.settings import Settings

FILE = "preview.html"
LOCAL_NAMES = {"127.0.0.1", "localhost", "[::1]"}


@dataclass(frozen=True)
class Written:
    file: Path
    size: int  # in bytes


def write_preview(settings: Settings, language: str, out: Path | None = None) -> Written:
    """Write the page of what is served now.

    In SALWA_DATA it is readable by its owner alone, like the database it is made from; with `out`, by whom the
    system's defaults let.

    Raises:
        SalwaError: nothing has been published yet, the language is unknown, or the file cannot be written.
    """
    known_language(language)
    file = out or settings.data / FILE
    try:
        with open_serving(settings) as serving:
            size = write_page(
                serving, file, language, settings.arabic_digits, refresh_urls(settings), is_private=out is None
            )
    except OSError as error:
        raise SalwaError(f"{file} cannot be written: {error.strerror}") from None
    return Written(file, size)


def refresh_urls(settings: Settings) -> dict[str, str]:
    """Where Refresh leads, by language; empty where the settings name no public address or secret for it."""
    found = {language: refresh_url(settings, language) for language in LANGUAGES}
    return {language: url for language, url in found.items() if url}


def known_language(language: str) -> None:
    if language not in LANGUAGES:
        raise SalwaError(f"--lang {language!r}: there is {', '.join(LANGUAGES)}")


def serve_preview(settings: Settings, language: str, port: int, started: Callable[[str], None]) -> None:
    """Answer with the page on localhost until interrupted; it is made anew when something new was published.

    Args:
        port: 0 for a free one.
        started: told the address.

    Raises:
        SalwaError: nothing has been published yet, or the port is taken.
    """
    page = current_page(settings, language)
    page()
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), handler(page))
    except OSError as error:
        raise SalwaError(f"--port {port}: {error.strerror}") from None
    started(f"http://127.0.0.1:{server.server_port}/")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()


def current_page(settings: Settings, language: str) -> Callable[[], bytes]:
    """A function that gives the page of what is served at its call."""
    known_language(language)
    lock = Lock()
    made: dict[str, bytes] = {}

    def page() -> bytes:
        with lock, open_serving(settings) as serving:
            # a failed run publishes nothing, but is told
            version = str((serving_version(serving), query(serving, "select max(ended_at) from marts.refresh_runs").rows))
            if version not in made:
                text = page_text(serving, language, settings.arabic_digits, refresh_urls(settings))
                made.clear()
                made[version] = text.encode()
            return made[version]

    return page


def handler(page: Callable[[], bytes]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            # a name that only leads here is another site's way to read the page
            if (self.headers.get("Host") or "").rpartition(":")[0] not in LOCAL_NAMES:
                self.send_error(HTTPStatus.FORBIDDEN)
            elif self.path.partition("?")[0] != "/":
                self.send_error(HTTPStatus.NOT_FOUND)
            else:
                body = page()
                self.send_response(HTTPStatus.OK)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Cache-Control", "no-store")
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nobody needs a line per look."""

    return Handler
