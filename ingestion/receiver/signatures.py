"""Who may come in: each source's own proof, compared in constant time.

Each function looks at the headers and returns the test that the raw body must pass, so that what has no chance is
refused before its body is read.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable

Headers = list[tuple[bytes, bytes]]  # names in lower case, as ASGI has them
BodyTest = Callable[[bytes], bool]

CHATWOOT_TOLERANCE = 300  # seconds between the sender's clock and ours, either way
HEX = re.compile(rb"[0-9a-fA-F]{64}")
SECONDS = re.compile(rb"[0-9]{1,12}")


class Refused(Exception):
    """A request that is answered with an error. reason: a fixed text, fit for the log and for the sender."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def only(headers: Headers, name: bytes) -> bytes | None:
    """The header's value; None where it is not there.

    Raises:
        Refused: it is there twice.
    """
    values = [value for key, value in headers if key == name]
    if len(values) > 1:
        raise Refused(400, f"more than one {name.decode('ascii')}")
    return values[0] if values else None


def equal(given: bytes, expected: str) -> bool:
    return hmac.compare_digest(given, expected.encode("utf-8"))


def signed(signature: bytes | None, secret: str, prefix: bytes = b"", before: bytes = b"") -> BodyTest:
    """The test that the signature is prefix + hex of HMAC-SHA256(secret, before + body).

    Raises:
        Refused: it cannot be one.
    """
    if signature is None:
        raise Refused(401, "the signature is missing")
    found = HEX.fullmatch(signature.removeprefix(prefix))
    if not signature.startswith(prefix) or not found:
        raise Refused(401, "the signature is malformed")
    digest = bytes.fromhex(found[0].decode("ascii"))
    return lambda body: hmac.compare_digest(hmac.digest(secret.encode("utf-8"), before + body, "sha256"), digest)


def whatsapp(headers: Headers, secret: str, now: float) -> BodyTest:
    """X-Hub-Signature-256: sha256=<hex> over the raw body."""
    return signed(only(headers, b"x-hub-signature-256"), secret, prefix=b"sha256=")


def chatwoot(headers: Headers, secret: str, now: float) -> BodyTest:
    """X-Chatwoot-Signature: sha256=<hex> over X-Chatwoot-Timestamp, a dot and the raw body."""
    timestamp = only(headers, b"x-chatwoot-timestamp")
    if timestamp is None:
        raise Refused(401, "the timestamp is missing")
    if not SECONDS.fullmatch(timestamp):
        raise Refused(401, "the timestamp is malformed")
    test = signed(only(headers, b"x-chatwoot-signature"), secret, prefix=b"sha256=", before=timestamp + b".")
    if abs(int(timestamp) - now) > CHATWOOT_TOLERANCE:
        raise Refused(401, "the timestamp is more than five minutes off")
    return test


def salla(headers: Headers, secret: str, now: float) -> BodyTest:
    """Strategy signature: X-Salla-Signature is the hex over the raw body; token: Authorization is the secret itself."""
    strategy = (only(headers, b"x-salla-security-strategy") or b"").strip().lower()
    signature, token = only(headers, b"x-salla-signature"), only(headers, b"authorization")
    if strategy == b"token" or (not strategy and signature is None and token is not None):
        if token is None:
            raise Refused(401, "the token is missing")
        if not equal(token, secret):
            raise Refused(401, "the token does not match")
        return lambda body: True
    return signed(signature, secret)
