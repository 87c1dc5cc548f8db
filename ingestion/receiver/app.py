"""The doors: /webhooks/whatsapp, /webhooks/chatwoot, /webhooks/salla and /healthz.

A delivery is proved, landed as it came, and acknowledged with 200 only when it is on disk. Nothing is parsed before,
with two exceptions: Salla's bodies are searched for tokens, which never land; and where people were erased, bodies are
searched for them.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from ingestion.erasing.lines import Cleaner, cleaner
from ingestion.erasing.register import people_of
from ingestion.errors import SalwaError
from ingestion.landing import FILE_BYTES, Delivery, landed_line
from ingestion.receiver import signatures
from ingestion.receiver.log import Refusals, log_line
from ingestion.receiver.signatures import BodyTest, Headers, Refused
from ingestion.receiver.writer import NotLanded, Writer
from ingestion.redaction import redact
from ingestion.settings import Settings, Workspace

CHALLENGE = re.compile(r"[A-Za-z0-9_.-]{1,256}")
JSON_TYPE = re.compile(rb"application/([a-z0-9.+-]+\+)?json\s*(;.*)?", re.IGNORECASE | re.DOTALL)
AUTHORIZED = "app.store.authorize"


@dataclass(frozen=True)
class Limits:
    """What one request, or all together, may take."""

    body_bytes: int = 4 * 1024 * 1024  # Meta's are at most 3 MB
    body_seconds: float = 20.0  # for the whole body
    header_bytes: int = 32 * 1024
    header_count: int = 100
    header_seconds: float = 10.0
    buffered_bytes: int = 64 * 1024 * 1024  # bodies in memory, per worker
    connections: int = 1000  # per worker
    token_seconds: float = 20.0  # to store Salla's tokens; Salla itself waits for about 30
    linger_seconds: float = 5.0  # how long a refused body is read on, so that its sender hears why
    rotate_bytes: int = FILE_BYTES


@dataclass
class Shared:
    """What the doors of one worker share."""

    settings: Settings
    limits: Limits
    refusals: Refusals
    writer: Writer
    buffered: int = 0


def make_app(settings: Settings, limits: Limits | None = None, more_routes: Sequence[Route] = ()) -> Starlette:
    """The receiver as an ASGI application; its life span opens and closes the landing files.

    Args:
        more_routes: of other pages on the same service.

    Raises:
        SalwaError: the workspaces, or the register of erased people, cannot be read.
    """
    limits = limits or Limits()
    refusals = Refusals()
    writer = Writer(settings.data, settings.receive_rotate_seconds, refusals, limits.rotate_bytes)
    shared = Shared(settings, limits, refusals, writer)

    @asynccontextmanager
    async def life(app: Starlette) -> AsyncIterator[None]:
        writer.start(asyncio.get_running_loop())
        try:
            yield
        finally:
            await writer.stop()

    workspaces = settings.workspaces()
    for workspace in workspaces:
        people_of(settings, workspace.name)  # a register that cannot be read is told now, not by refusing deliveries
    routes = [Route("/healthz", Door(shared, "healthz", {"GET": healthz, "HEAD": healthz}))]
    if len(workspaces) == 1:
        routes += doors(shared, workspaces[0], "/webhooks")
    for workspace in workspaces:
        routes += doors(shared, workspace, f"/w/{workspace.name}/webhooks")
    app = Starlette(routes=[*routes, *more_routes], lifespan=life)
    app.router.redirect_slashes = False
    app.router.default = Door(shared, "unknown path", {})
    return app


Answer = tuple[int, bytes]
Handler = Callable[[Shared, Scope, Receive], Awaitable[Answer]]
Proof = Callable[[Headers, str, float], BodyTest]  # see ingestion.receiver.signatures


@dataclass(frozen=True)
class Door:
    """One path: finds the method's handler, and answers whatever happens, also when it goes wrong."""

    shared: Shared
    name: str
    handlers: dict[str, Handler]
    is_open: bool = True  # whether any secret of this path is set

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            status, body = await self.handler(scope)(self.shared, scope, receive)
            await answer(send, status, body, is_last=scope["method"] != "POST")
        except Refused as refused:
            self.shared.refusals.say(refused.status, self.name, refused.reason)
            await self.refuse(refused, receive, send)
        except Exception as error:  # the sender shall come again
            self.shared.refusals.say(503, self.name, f"internal error: {type(error).__name__}")
            await self.refuse(Refused(503, "not landed"), receive, send)

    def handler(self, scope: Scope) -> Handler:
        if not self.handlers or b"%" in scope.get("raw_path", b""):
            raise Refused(404, "there is nothing here")
        if not self.is_open:
            raise Refused(503, "the secret of this path is not set")
        handler = self.handlers.get(scope["method"])
        if handler is None:
            raise Refused(405, "this method is not for this path")
        return handler

    async def refuse(self, refused: Refused, receive: Receive, send: Send) -> None:
        """Answer at once, then read on for a while: who is still sending would not hear an answer before a reset."""
        extra = [(b"retry-after", b"30")] if refused.status == 503 else []
        extra += [(b"allow", ", ".join(sorted(self.handlers)).encode())] if refused.status == 405 else []
        await answer(send, refused.status, refused.reason.encode(), True, extra, more_body=True)
        patience = 0.0 if refused.status == 408 else self.shared.limits.linger_seconds
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while (await receive()).get("more_body"):
                    pass
        await send({"type": "http.response.body"})


async def answer(
    send: Send,
    status: int,
    body: bytes,
    is_last: bool = False,
    extra: list[tuple[bytes, bytes]] = [],  # noqa: B006 - never changed
    more_body: bool = False,
) -> None:
    """Send a short answer. is_last: the connection ends with it."""
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"x-content-type-options", b"nosniff"),
        *extra,
    ]
    if is_last:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": more_body})


# the doors


def doors(shared: Shared, workspace: Workspace, prefix: str) -> list[Route]:
    """The routes of one workspace."""

    def secret(name: str) -> str | None:
        own: SecretStr | None = getattr(workspace, name) or getattr(shared.settings, name)
        return own.get_secret_value() if own else None

    def posts(path: str, source: str, proof: Proof | None, own: str | None) -> Route:
        handlers = {"POST": landing_handler(workspace.name, source, proof, own)}
        return Route(prefix + path, Door(shared, source, handlers, bool(own)))

    app_secret, verify_token = secret("whatsapp_app_secret"), secret("whatsapp_verify_token")
    whatsapp: dict[str, Handler] = {
        "GET": handshake_handler(verify_token),
        "POST": landing_handler(workspace.name, "whatsapp", signatures.whatsapp, app_secret),
    }
    return [
        Route(f"{prefix}/whatsapp", Door(shared, "whatsapp", whatsapp, bool(app_secret or verify_token))),
        posts("/chatwoot", "chatwoot", signatures.chatwoot, secret("chatwoot_webhook_secret")),
        posts("/chatwoot/{token}", "chatwoot", None, secret("chatwoot_webhook_path_token")),
        posts("/salla", "salla", signatures.salla, secret("salla_webhook_secret")),
    ]


async def healthz(shared: Shared, scope: Scope, receive: Receive) -> Answer:
    """200 while deliveries can land."""
    if not shared.writer.is_well():
        raise Refused(503, "deliveries cannot be written")
    return 200, b"" if scope["method"] == "HEAD" else b"ok\n"


def handshake_handler(token: str | None) -> Handler:
    """Meta's verification of the address: the challenge comes back if the token is ours."""

    async def handshake(shared: Shared, scope: Scope, receive: Receive) -> Answer:
        if token is None:
            raise Refused(503, "the verify token is not set")
        try:
            query = parse_qs(scope["query_string"].decode("ascii"), max_num_fields=20)
        except ValueError:
            raise Refused(400, "the query cannot be read") from None
        mode, given, challenge = (query.get(f"hub.{name}", []) for name in ("mode", "verify_token", "challenge"))
        if mode != ["subscribe"] or len(given) != 1 or not signatures.equal(given[0].encode("utf-8"), token):
            raise Refused(403, "the verify token does not match")
        if len(challenge) != 1 or not CHALLENGE.fullmatch(challenge[0]):
            raise Refused(400, "the challenge is malformed")
        return 200, challenge[0].encode("ascii")

    return handshake


def landing_handler(workspace: str, source: str, proof: Proof | None, secret: str | None) -> Handler:
    """Takes deliveries in. proof: None where the secret is the last part of the path."""
    key = (workspace, source)
    clean: Cleaner | None = None

    async def take_in(shared: Shared, scope: Scope, receive: Receive) -> Answer:
        nonlocal clean
        if not secret:
            raise Refused(503, "the secret of this path is not set")
        clean = clean or cleaner(shared.settings, workspace, source)
        headers: Headers = scope["headers"]
        refuse_unfit(headers, shared.limits)
        test = path_token_test(scope, secret) if proof is None else proof(headers, secret, time.time())
        received_at = datetime.now(UTC).isoformat(timespec="microseconds")
        held = [0]
        try:
            body = await read_body(receive, shared, held)
            if not test(body):
                raise Refused(401, "the signature does not match")
            if source == "salla":
                body = await without_tokens(shared, workspace, body)
            await shared.writer.land(key, landed_line(clean(Delivery(body, received_at=received_at))))
        except NotLanded:
            raise Refused(503, "not landed") from None
        finally:
            shared.buffered -= held[0]
        return 200, b"ok\n"

    return take_in


def path_token_test(scope: Scope, token: str) -> BodyTest:
    if not signatures.equal(scope["raw_path"].rsplit(b"/", 1)[-1], token):
        raise Refused(401, "the token in the path does not match")
    return lambda body: True


def refuse_unfit(headers: Headers, limits: Limits) -> None:
    """Refuse by the headers what would not be read anyway.

    Raises:
        Refused: compressed, no JSON, or too long.
    """
    if (signatures.only(headers, b"content-encoding") or b"identity").strip().lower() != b"identity":
        raise Refused(415, "compressed bodies are not taken")
    if (signatures.only(headers, b"transfer-encoding") or b"chunked").strip().lower() != b"chunked":
        raise Refused(501, "this transfer encoding is not known")
    content_type = signatures.only(headers, b"content-type")
    if content_type and not JSON_TYPE.fullmatch(content_type.strip()):
        raise Refused(415, "only application/json is taken")
    length = signatures.only(headers, b"content-length")
    if length is not None and int(length) > limits.body_bytes:
        raise Refused(413, f"a body may have {limits.body_bytes} bytes")


async def read_body(receive: Receive, shared: Shared, held: list[int]) -> bytes:
    """The raw body. held[0]: its bytes that count as buffered, for the caller to give back.

    Raises:
        Refused: too long, too slow, or more than fits in memory with the others.
    """
    limits = shared.limits
    chunks: list[bytes] = []
    try:
        async with asyncio.timeout(limits.body_seconds):
            more = True
            while more:
                message = await receive()
                if message["type"] != "http.request":
                    raise Refused(400, "the sender went away")
                chunk = message.get("body", b"")
                chunks.append(chunk)
                held[0] += len(chunk)
                shared.buffered += len(chunk)
                if held[0] > limits.body_bytes:
                    raise Refused(413, f"a body may have {limits.body_bytes} bytes")
                if shared.buffered > limits.buffered_bytes:
                    raise Refused(503, "too much at once")
                more = message.get("more_body", False)
    except TimeoutError:
        raise Refused(408, "the body came too slowly") from None
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def without_tokens(shared: Shared, workspace: str, body: bytes) -> bytes:
    """Salla's body as it may land. The tokens of app.store.authorize are stored before.

    Salla sends tokens once, and again only where it hears no 200. So they are never acknowledged before they are on
    disk under the refresher's lock: whatever hinders that (the lock, the disk, another store's tokens) is answered with
    503. A refresh holds the lock for 70 seconds at most, and Salla's three retries, which come five minutes apart (or,
    as some saw, 10 to 30 seconds), outlast it. Tokens set aside without the lock would be a second truth beside the
    refresher's, so there are none. It happens in a thread: everybody else is served meanwhile.

    Raises:
        Refused: they could not be stored, so Salla shall send them again.
    """
    cleaned = redact(body)
    if cleaned is body:
        return body
    document = authorization(body)
    if document is not None:
        patience = shared.limits.token_seconds
        try:
            async with asyncio.timeout(patience + 1):  # the lock's own patience ends first, but for want of a thread
                await asyncio.to_thread(keep_tokens, shared.settings, workspace, document, patience)
        except Exception as error:
            if isinstance(error, SalwaError):
                log_line(f"salla: {error}")
            raise Refused(503, f"the tokens cannot be stored: {type(error).__name__}") from None
    return cleaned


def authorization(body: bytes) -> dict[str, Any] | None:
    """The body of app.store.authorize, if it is one and has tokens."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or document.get("event") != AUTHORIZED:
        return None
    data = document.get("data")
    return document if isinstance(data, dict) and isinstance(data.get("access_token"), str) else None


def keep_tokens(settings: Settings, workspace: str, document: dict[str, Any], patience: float) -> None:
    from ingestion.salla.tokens import store_tokens

    store_tokens(settings, workspace, document.get("merchant"), document, patience=patience)
