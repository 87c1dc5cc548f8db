"""Tokens leave a body before it lands, whatever its shape."""

from __future__ import annotations

import json

from ingestion import redaction
from ingestion.redaction import IN_TEXT, REDACTED


def redacted(body: bytes) -> bytes:
    """ingestion.redaction.redact for bodies that nobody has seen yet: it never raises.

    The very same object where there was nothing to redact.
    """
    try:
        return redaction.redact(body)
    except UnicodeEncodeError:  # half a surrogate pair, which JSON can name and UTF-8 cannot hold
        return json.dumps(redaction._clean(json.loads(body)), separators=(",", ":")).encode("ascii")
    except RecursionError:  # nested too deeply to be parsed
        text = body.decode("utf-8", "surrogateescape")
        return IN_TEXT.sub(rf"\g<1>{REDACTED}", text).encode("utf-8", "surrogateescape")
