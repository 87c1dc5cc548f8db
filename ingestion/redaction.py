"""Secrets never land: OAuth tokens in a body become [redacted] before it is written."""

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
    """The body without tokens; the very same bytes where there are none."""
    if b"token" not in body.lower() and b"\\u" not in body:
        return body
    try:
        document = json.loads(body)
    except ValueError:
        return IN_TEXT.sub(rf"\g<1>{REDACTED}", body.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
    cleaned = _clean(document)
    if cleaned == document:
        return body
    return json.dumps(cleaned, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def _clean(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: REDACTED if key.lower() in SECRET_KEYS else _clean(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_clean(inner) for inner in value]
    if isinstance(value, str) and "_token" in value.lower():
        return IN_TEXT.sub(rf"\g<1>{REDACTED}", value)
    return value
