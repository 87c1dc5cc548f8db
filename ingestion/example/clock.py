"""The example's clock: whole seconds since 1970, Riyadh's calendar days, and when the shop is open.

Riyadh is UTC+3 all year, so local time is plain arithmetic here.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

MINUTE = 60
HOUR = 3600
DAY = 86400
OFFSET = 3 * HOUR
RIYADH = timezone(timedelta(seconds=OFFSET), "+03")

FRIDAY, SATURDAY = 4, 5
WEEKDAY_HOURS = ((10 * HOUR, 15 * HOUR), (16 * HOUR + 30 * MINUTE, 23 * HOUR))
WEEKEND_HOURS = ((16 * HOUR, 24 * HOUR),)

# how the customers of a day spread over its hours, from midnight on
WEEKDAY_RHYTHM = (5, 3, 1, 1, 1, 1, 2, 3, 5, 8, 11, 12, 11, 10, 8, 8, 11, 14, 16, 18, 24, 27, 24, 12)
WEEKEND_RHYTHM = (8, 5, 3, 2, 1, 1, 1, 1, 2, 3, 4, 5, 5, 7, 9, 12, 16, 19, 22, 25, 31, 33, 29, 18)


def midnight(day: date) -> int:
    """The instant a local day begins."""
    return int(datetime(day.year, day.month, day.day, tzinfo=RIYADH).timestamp())


def local_day(at: int) -> date:
    return datetime.fromtimestamp(at, RIYADH).date()


def utc_text(at: float) -> str:
    """2026-11-01T11:05:09+00:00"""
    return datetime.fromtimestamp(at, UTC).isoformat()


def is_weekend(day: date) -> bool:
    return day.weekday() in (FRIDAY, SATURDAY)


def openings(day: date, holiday: date) -> tuple[tuple[int, int], ...]:
    """The opening hours of a local day, as seconds after its midnight."""
    if day == holiday:
        return ()
    return WEEKEND_HOURS if is_weekend(day) else WEEKDAY_HOURS


def is_open(at: int, holiday: date) -> bool:
    day = local_day(at)
    second = at - midnight(day)
    return any(opens <= second < closes for opens, closes in openings(day, holiday))


def next_open(at: int, holiday: date) -> int:
    """The first open instant at or after `at`."""
    day = local_day(at)
    while True:
        start = midnight(day)
        for opens, closes in openings(day, holiday):
            if at < start + closes:
                return max(at, start + opens)
        day += timedelta(days=1)
