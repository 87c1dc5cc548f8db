"""How fast Salla may be asked: what its headers say, less head-room for the store's other apps, and the customers' own cap.

The bucket belongs to the store and is shared by all of its apps (120, 360 or 720 a minute by its plan), so a share of it
is left to them. Customers may be asked 500 times in ten minutes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

MINUTE = 60.0
SHARE = 0.8  # of the limit that we take in any minute
RESERVE = 0.1  # of the limit that is left in the bucket for others
UNTOLD_LIMIT = 60  # a minute, until the first answer tells the store's own
CUSTOMER_CALLS = 450  # of the 500 allowed
CUSTOMER_SECONDS = 600.0


@dataclass
class Budget:
    """What was asked when, and what Salla said of its limits. Times are seconds since 1970."""

    limit: int = UNTOLD_LIMIT
    remaining: int | None = None
    reset_at: float = 0.0
    calls: deque[float] = field(default_factory=deque)
    customer_calls: deque[float] = field(default_factory=deque)

    def wait(self, now: float, is_customers: bool) -> float:
        """Seconds to wait before the next question."""
        forget(self.calls, now - MINUTE)
        forget(self.customer_calls, now - CUSTOMER_SECONDS)
        waits = [0.0]
        if len(self.calls) >= max(1, int(self.limit * SHARE)):
            waits.append(self.calls[0] + MINUTE - now)
        if self.remaining is not None and self.remaining <= self.limit * RESERVE and self.reset_at > now:
            waits.append(min(self.reset_at - now, MINUTE))  # no longer than a minute, should our clocks differ
        if is_customers and len(self.customer_calls) >= CUSTOMER_CALLS:
            waits.append(self.customer_calls[0] + CUSTOMER_SECONDS - now)
        return max(waits)

    def spend(self, now: float, is_customers: bool) -> None:
        """Note that a question goes out."""
        self.calls.append(now)
        if self.remaining is not None:
            self.remaining -= 1
        if is_customers:
            self.customer_calls.append(now)

    def note(self, headers: Mapping[str, str], now: float) -> None:
        """Believe the headers of an answer; what is missing or no number says nothing."""
        limit, remaining, reset = (
            number(headers.get(f"X-RateLimit-{name}")) for name in ("Limit", "Remaining", "Reset")
        )
        if limit and limit >= 1:
            self.limit = int(limit)
        if remaining is not None:
            self.remaining = max(0, int(remaining))
        if reset is not None:
            self.reset_at = reset if reset > 1_000_000 else now + reset


def forget(calls: deque[float], before: float) -> None:
    while calls and calls[0] <= before:
        calls.popleft()


def number(value: str | None) -> float | None:
    try:
        return float(value) if value is not None else None
    except ValueError:
        return None
