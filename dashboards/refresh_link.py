"""The signed address behind Refresh on the dashboard: whoever has it may ask for a refresh and nothing else.

The signature covers the language and the address that the page leads back to, so neither can be changed. It does not
end: it stands on dashboards for years. A new SALWA_REFRESH_SECRET ends all of them.
"""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import urlencode

from ingestion.settings import Settings


def signature(secret: str, language: str, back: str) -> str:
    """Hexadecimal HMAC-SHA256 of what the address says."""
    return hmac.new(secret.encode(), f"refresh\n{language}\n{back}".encode(), hashlib.sha256).hexdigest()


def is_genuine(secret: str, language: str, back: str, given: str) -> bool:
    return hmac.compare_digest(signature(secret, language, back).encode(), given.encode())


def refresh_url(settings: Settings, language: str, back: str = "") -> str | None:
    """The address for a dashboard in this language; None where no secret or no public address is set.

    Args:
        back: where the page leads when the refresh is done.
    """
    if settings.refresh_secret is None or not settings.public_url:
        return None
    signed = signature(settings.refresh_secret.get_secret_value(), language, back)
    return f"{settings.public_url.rstrip('/')}/refresh?{urlencode({'lang': language, 'back': back, 'sig': signed})}"
