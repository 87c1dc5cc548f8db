"""Archives as `salwa import` reads them: a folder per source, a file per day of receipt, a delivery per line."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from ingestion.example import clock
from ingestion.example.clock import DAY, HOUR, MINUTE


@dataclass(frozen=True)
class Arrival:
    """One delivery: when it came, what it is (`webhook` or the call it answered) and its body."""

    at: float
    kind: str
    body: Any


def webhook(at: float, body: Any) -> Arrival:
    return Arrival(at, "webhook", body)


def disturbed(arrivals: Iterable[Arrival], rng: Random) -> list[Arrival]:
    """The arrivals with what goes wrong on the way: some webhooks come twice, a few come hours or days late."""
    found: list[Arrival] = []
    for arrival in arrivals:
        chance = rng.random() if arrival.kind == "webhook" else 1.0
        if chance < 0.0006:
            found.append(Arrival(arrival.at + rng.randrange(2 * HOUR, 3 * DAY), arrival.kind, arrival.body))
            continue
        found.append(arrival)
        if chance < 0.005:
            found.append(Arrival(arrival.at + rng.choice((0.4, 9.0, 5.0 * MINUTE)), arrival.kind, arrival.body))
    return found


def line_of(arrival: Arrival) -> str:
    body = json.dumps(arrival.body, ensure_ascii=False, separators=(",", ":"))
    return f'{{"received_at":"{clock.utc_text(arrival.at)}","kind":"{arrival.kind}","body":{body}}}'


def write_archive(folder: Path, arrivals: list[Arrival]) -> int:
    """Write YYYY-MM-DD.ndjson files. One line is cut short, as by a full disk, before its delivery comes whole.

    Returns:
        The number of lines that cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    arrivals = sorted(arrivals, key=lambda arrival: arrival.at)
    lines_of_day: dict[str, list[str]] = {}
    for number, arrival in enumerate(arrivals):
        lines = lines_of_day.setdefault(clock.local_day(int(arrival.at)).isoformat(), [])
        line = line_of(arrival)
        if number == len(arrivals) // 2:
            lines.append(line[: len(line) * 3 // 5])
        lines.append(line)
    for day, lines in lines_of_day.items():
        (folder / f"{day}.ndjson").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    return 1 if arrivals else 0
