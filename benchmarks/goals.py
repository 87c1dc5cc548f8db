"""The goals of speed, what was measured of each, and whether it is met."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.measure import Run, median
from benchmarks.scenario import Found

GIGABYTE = 1 << 30


@dataclass(frozen=True)
class Goal:
    """A goal and its measure. value: None where it was not measured; bound: what it must not exceed, or reach."""

    name: str
    value: float | None
    bound: float
    must_reach: bool = False
    told: str = ""
    unit: str = "×"

    @property
    def is_met(self) -> bool | None:
        if self.value is None:
            return None
        return self.value >= self.bound if self.must_reach else self.value <= self.bound

    @property
    def state(self) -> str:
        return {True: "met", False: "NOT MET", None: "not measured"}[self.is_met]


def goals(large: Found, small: Found | None, others: Mapping[str, Any]) -> list[Goal]:
    """All goals.

    Args:
        large: the history asked for.
        small: a tenth of it, measured in the same run.
        others: what does not depend on a history: button, receiver.
    """
    return [*of_full(large, small), *of_increments(large, small), *of_button(others), *of_receiver(others), *of_cards(large)]


def of_full(large: Found, small: Found | None) -> list[Goal]:
    runs = large.runs
    limit = median(runs["limit"])
    apart = None
    told = ""
    if "start" in runs:
        apart = work_of(large) / limit
        processor = work_of(large, cpu_of) / median(runs["limit"], cpu_of)
        told = f"{work_of(large):.1f} s + {median(runs['start']):.1f} s start-up, limit {limit:.1f} s; by the processor {processor:.1f}×"
    idiomatic = median(runs["idiomatic"]) if "idiomatic" in runs else None
    peak = max(run.peak for run in runs["full"])
    growth = None
    if small is not None and "start" in runs and "start" in small.runs:
        growth = (work_of(large) / large.messages) / (work_of(small) / small.messages)
    return [
        Goal("full, its start-up apart, against the limit", apart, 2, told=told),
        Goal("full with its start-up, against the limit", median(runs["full"]) / limit, float("inf"), told="for information"),
        Goal(
            "full against the idiomatic pipeline", None if idiomatic is None else idiomatic / median(runs["full"]), 10, True,
            told="" if idiomatic is None else f"idiomatic {idiomatic:.0f} s, all start-ups included",
        ),
        Goal("peak memory of full", peak / GIGABYTE, 4, unit=" GB", told=f"at {large.messages:,} messages"),
        Goal("cost of a message, against a tenth of the history", growth, 1.2),
    ]  # fmt: skip


def wall_of(run: Run) -> float:
    return run.wall


def cpu_of(run: Run) -> float:
    return run.cpu


def work_of(found: Found, of: Callable[[Run], float] = wall_of) -> float:
    """Seconds of a full refresh without those of one over an empty landing zone, which are told beside them."""
    return median(found.runs["full"], of) - median(found.runs["start"], of)


def of_increments(large: Found, small: Found | None) -> list[Goal]:
    if "hour" not in large.runs:
        return [Goal(name, None, bound) for name, bound in (("an hour's worth, against full", 0.05), ("its build and tests, against a tenth of the history", 1.3), ("publishing, against a bare copy", 1.5), ("nothing new, against start-up", 1.2))]  # fmt: skip
    runs = large.runs
    hour = median(runs["hour"])
    build = median(runs["hour"], lambda run: run.stage("build"))
    ratio = None if small is None or "hour" not in small.runs else build / median(small.runs["hour"], lambda run: run.stage("build"))
    publish = median(runs["publish"], lambda run: run.stage("publish"))
    copy = median(runs["copy"], lambda run: run.stage("copy"))
    nothing = median(runs["nothing"])
    start = median(runs["start"], before_any_work) if "start" in runs else None
    return [
        Goal("an hour's worth, against full", hour / median(runs["full"]), 0.05, told=f"{hour:.1f} s of {median(runs['full']):.1f} s"),
        Goal("its build and tests, against a tenth of the history", ratio, 1.3, told=f"{build:.1f} s"),
        Goal("publishing, against a bare copy", publish / copy, 1.5, told=f"{publish:.2f} s against {copy:.2f} s"),
        Goal(
            "nothing new, against start-up", None if start is None else nothing / start, 1.2,
            told="" if start is None else f"{nothing:.1f} s against {start:.1f} s",
        ),
    ]


def before_any_work(run: Run) -> float:
    """Seconds of a run until it loads: process, imports, settings, and parsing where it parses."""
    return run.wall - sum(seconds for stage, seconds in run.told["stages"].items() if stage.startswith(("load", "build", "publish")))


def of_button(others: Mapping[str, Any]) -> list[Goal]:
    runs: Mapping[str, list[Run]] = others.get("button") or {}
    button = median(runs["button"]) if runs else None
    stock = median(runs["stock"]) if "stock" in runs else None
    imports = median(runs["imports"]) if runs else None
    return [
        Goal(
            "the button, against stock wrappers", None if stock is None or button is None else button / stock, 1 / 3,
            told="" if stock is None or button is None else f"{button:.1f} s against {stock:.1f} s",
        ),
        Goal(
            "the button, against bare imports", None if button is None or imports is None else button / imports, 2,
            told="" if button is None or imports is None else f"{button:.1f} s against {imports:.1f} s",
        ),
    ]  # fmt: skip


def of_receiver(others: Mapping[str, Any]) -> list[Goal]:
    told = others.get("receiver")
    if not told:
        return [Goal("receiver with fsync, against no disk", None, 0.5, True)]
    with_disk, without = (statistics.median(told[kind]["per_second"]) for kind in ("fsync", "without_disk"))
    p99 = statistics.median(told["fsync"]["p99"])
    return [
        Goal(
            "receiver with fsync, against no disk", with_disk / without, 0.5, True,
            told=f"{with_disk:,.0f} a second against {without:,.0f}; p99 {p99 * 1000:.0f} ms",
        )
    ]  # fmt: skip


def of_cards(large: Found) -> list[Goal]:
    cards: Mapping[str, Mapping[str, list[float]]] = large.facts.get("cards") or {}
    compared = {name: asked for name, asked in cards.items() if "inbox" in asked}
    if not compared:
        return [Goal("cards of a month, against raw messages", None, 30, True)]
    return [
        Goal(
            f"card {name} on {where}, against raw messages", statistics.median(asked["inbox"]) / p95(asked[where]), 30, True,
            told=f"p95 {p95(asked[where]):.0f} ms against {statistics.median(asked['inbox']):.0f} ms",
        )
        for name, asked in compared.items()
        for where in ("duckdb", "postgres")
    ]  # fmt: skip


def p95(values: list[float]) -> float:
    """The smallest value that 95 % do not exceed."""
    return sorted(values)[max(0, -(-len(values) * 95 // 100) - 1)]
