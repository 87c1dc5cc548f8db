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


def line_of(at: float, arrival: Arrival, body: str) -> str:
    return f'{{"received_at":"{clock.utc_text(at)}","kind":"{arrival.kind}","body":{body}}}'


def disturbed_lines(arrivals: Iterable[Arrival], rng: Random) -> list[tuple[float, int, str]]:
    """(received at, serial, line) of all arrivals, with what goes wrong on the way: some webhooks come twice, a few
    come hours or days late."""
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    lines: list[tuple[float, int, str]] = []
    for arrival in arrivals:
        body = encode(arrival.body)
        chance = rng.random() if arrival.kind == "webhook" else 1.0
        at = arrival.at + rng.randrange(2 * HOUR, 3 * DAY) if chance < 0.0006 else arrival.at
        lines.append((at, len(lines), line_of(at, arrival, body)))
        if 0.0006 <= chance < 0.005:
            again = at + rng.choice((0.4, 9.0, 5.0 * MINUTE))
            lines.append((again, len(lines), line_of(again, arrival, body)))
    return sorted(lines)


def write_archive(folder: Path, arrivals: Iterable[Arrival], seed: int) -> int:
    """Write YYYY-MM-DD.ndjson files. One line is cut short, as by a full disk, before its delivery comes whole.

    Returns:
        The number of lines that cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = Random(seed)  # noqa: S311 - a story, not a secret
    lines = disturbed_lines(arrivals, rng)
    lines_of_day: dict[str, list[str]] = {}
    for number, (at, _, line) in enumerate(lines):
        day = lines_of_day.setdefault(clock.local_day(int(at)).isoformat(), [])
        if number == len(lines) // 2:
            day.append(line[: len(line) * 3 // 5])
        day.append(line)
    for name, found in lines_of_day.items():
        (folder / f"{name}.ndjson").write_text("\n".join(found) + "\n", encoding="utf-8", newline="\n")
    return 1 if lines else 0
