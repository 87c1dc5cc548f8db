"""When things happen in the example: the rhythm of hours and days, and waits."""

from __future__ import annotations

from datetime import timedelta
from math import exp, log
from random import Random

from ingestion.example import clock
from ingestion.example.clock import DAY, HOUR
from ingestion.example.events import Stage


def busyness(stage: Stage, number: int) -> float:
    """How many come on day `number`, against an average day: growth, weekend, the White Friday week, the day off."""
    day = stage.end - timedelta(days=stage.days - 1 - number)
    growth = 0.75 + 0.5 * number / max(stage.days - 1, 1)
    weekend = 0.88 if clock.is_weekend(day) else 1.0
    peak = {13: 1.4, 12: 2.1, 11: 2.4, 10: 1.7}.get(stage.days - number, 1.0)
    return growth * weekend * peak * (0.6 if day == stage.holiday else 1.0)


def moment(stage: Stage, number: int) -> int:
    """An instant of a day of the story, by the rhythm of the weekday."""
    day = stage.end - timedelta(days=stage.days - 1 - number)
    rhythm = clock.WEEKEND_RHYTHM if clock.is_weekend(day) else clock.WEEKDAY_RHYTHM
    hour = stage.rng.choices(range(24), rhythm)[0]
    return stage.first + number * DAY + hour * HOUR + stage.rng.randrange(HOUR)


def log_normal(rng: Random, median: float, sigma: float, least: float = 1.0) -> int:
    """Seconds around a median, with the long tail waits have."""
    return int(max(least, exp(rng.gauss(log(median), sigma))))
