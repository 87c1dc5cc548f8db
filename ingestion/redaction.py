"""Secrets never land: OAuth tokens and one-time passwords in a body become [redacted] before it is written."""

from __future__ import annotations

import json
import re
from typing import Any

SECRET_KEYS = frozenset({"access_token", "refresh_token"})
REDACTED = "[redacted]"
# In text that is no JSON, or JSON inside a string: "access_token": "..." with any quoting, and access_token=...
IN_TEXT = re.compile(
    r"""((?:access|refresh)_token(?:\\*["'])?\s*[:=]\s*(?:\\*["'])?)([^"'\\&\s,}]+)""",
    re.IGNORECASE,
)


def redact(body: bytes) -> bytes:
    """The body without tokens, the very same bytes where there are none. Never raises, whatever the shape."""
    lowered = body.lower()
    if b"token" not in lowered and b"otp" not in lowered and b"\\u" not in body:
        return body
    try:
        document = json.loads(body)
        cleaned = _clean(document)
    except (ValueError, RecursionError):  # no JSON, or nested too deeply to be parsed
        text = body.decode("utf-8", "surrogateescape")
        return IN_TEXT.sub(rf"\g<1>{REDACTED}", text).encode("utf-8", "surrogateescape")
    if isinstance(cleaned, dict) and str(cleaned.get("event", "")).startswith("customer.otp") and "data" in cleaned:
        cleaned["data"] = _without_codes(cleaned["data"])
    if cleaned == document:
        return body
    try:
        return json.dumps(cleaned, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    except UnicodeEncodeError:  # half a surrogate pair, which JSON can name and UTF-8 cannot hold
        return json.dumps(cleaned, separators=(",", ":")).encode("ascii")


def _without_codes(value: Any) -> Any:
    """A one-time password's event without the password, whatever its key is called."""
    if isinstance(value, dict):
        return {
            key: REDACTED if any(word in key.lower() for word in ("code", "otp", "password")) else _without_codes(inner)
            for key, inner in value.items()
        }
    return [_without_codes(inner) for inner in value] if isinstance(value, list) else value


def _clean(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: REDACTED if key.lower() in SECRET_KEYS else _clean(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_clean(inner) for inner in value]
    if isinstance(value, str) and "_token" in value.lower():
        return IN_TEXT.sub(rf"\g<1>{REDACTED}", value)
    return value
