"""Every card through a real Metabase, against the same SQL asked of serving directly: `make smoke-metabase`.

It pushes twice, and the second push must write nothing. Then it asks Metabase for each card of each language and each
choice of dates, with the values sent as a browser sends them, and compares all cells.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from rich.markup import escape
from rich.table import Table

from dashboards.metabase.push import Push, push
from dashboards.metabase.wanted import WIDGETS, Wanted, parameter_id, wanted
from dashboards.parameters import FILTERS, filled
from dashboards.serving import Connection, open_serving, query
from ingestion.errors import SalwaError
from ingestion.settings import Settings, load_settings
from orchestration import console
from orchestration.dashboards_cli import titles_of

ROW_LIMIT = 2000  # Metabase shows no more rows of a card
SHOWN = 3  # differing rows of a card
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Choice:
    """What a reader chooses: values as Metabase is sent them, and as our own SQL is filled with them."""

    name: str
    sent: dict[str, Any]
    meant: dict[str, Any]


@dataclass
class Compared:
    """One card in one language over all choices."""

    key: str
    cells: int = 0
    differences: list[str] = field(default_factory=list)


def choices(today: date, values: Mapping[str, str | float]) -> list[Choice]:
    """Dates as readers choose them, and this month with every other filter set.

    Args:
        today: on the business's clock, which must be Metabase's.
        values: one value for each filter that is not a date.
    """
    month = today.replace(day=1)
    next_month = (month + 31 * DAY).replace(day=1)
    before = (month - DAY).replace(day=1)
    custom = (today - 20 * DAY, today - 4 * DAY)
    dates = {
        "thismonth": (month, next_month - DAY),
        "today": (today, today),
        "yesterday": (today - DAY, today - DAY),
        "past7days": (today - 7 * DAY, today - DAY),
        "lastmonth": (before, month - DAY),
        f"{custom[0]}~{custom[1]}": custom,
    }
    found = [Choice(name, {"date": name}, {"date": days}) for name, days in dates.items()]
    filters = {name: [value] for name, value in values.items()}
    return [
        *found,
        Choice("thismonth, all filters", {"date": "thismonth", **filters}, {"date": dates["thismonth"], **filters}),
    ]


def some_values(connection: Connection) -> dict[str, str | float]:
    """Of each filter that is not a date, its first value; without those that have none."""
    found = {}
    for each in FILTERS.values():
        if not each.is_date:
            value = query(connection, f"select min({each.column}) from {each.table}").rows[0][0]
            if value is not None:
                found[each.name] = float(value) if each.kind == "number" else value
    return found


def compare(
    pushed: Push,
    what: Wanted,
    connection: Connection,
    zone: ZoneInfo,
    chosen: Iterable[Choice],
    on_card: Callable[[str], None] = lambda _key: None,
) -> list[Compared]:
    """Ask Metabase and serving for every card of every tab; the rows behind a figure stand on none.

    Args:
        connection: of serving; its session is put into the zone, as Metabase puts its own.
    """
    chosen = list(chosen)
    connection.execute(f"set TimeZone = '{zone.key}'")
    keys = {identifier: key for key, identifier in pushed.ids.cards.items()}
    found = []
    for language, dashboard in pushed.ids.dashboards.items():
        for dashcard in pushed.metabase.get(f"/api/dashboard/{dashboard}")["dashcards"]:
            key = keys.get(dashcard.get("card_id"))
            if key is None or not key.startswith(f"{language}/"):
                continue
            on_card(key)
            one = Compared(key)
            for choice in chosen:
                compare_card(pushed, what, connection, zone, dashboard, dashcard, choice, one)
            found.append(one)
    return found


def compare_card(
    pushed: Push,
    what: Wanted,
    connection: Connection,
    zone: ZoneInfo,
    dashboard: int,
    dashcard: Mapping[str, Any],
    choice: Choice,
    one: Compared,
) -> None:
    mapped = {mapping["parameter_id"] for mapping in dashcard["parameter_mappings"]}
    sent = {name: value for name, value in choice.sent.items() if parameter_id(name) in mapped}
    answer = pushed.metabase.post(
        f"/api/dashboard/{dashboard}/dashcard/{dashcard['id']}/card/{dashcard['card_id']}/query",
        {
            "parameters": [
                {
                    "id": parameter_id(name),
                    "type": WIDGETS[FILTERS[name].kind],
                    "value": value,
                }
                for name, value in sent.items()
            ]
        },
    )
    if answer.get("status") != "completed":
        one.differences.append(f"{choice.name}: Metabase says {str(answer.get('error') or answer)[:200]}")
        return
    sql, values = filled(what.questions[one.key].sql, {name: choice.meant[name] for name in sent})
    expected = query(connection, sql, values)
    names = tuple(column["name"] for column in answer["data"]["cols"])
    if names != expected.names:
        one.differences.append(f"{choice.name}: columns {names} instead of {expected.names}")
        return
    told = differing(expected.rows, answer["data"]["rows"], zone)
    one.differences += [f"{choice.name}: {line}" for line in told]
    one.cells += len(expected.rows) * len(expected.names)


def differing(expected: list[tuple[Any, ...]], given: list[list[Any]], zone: ZoneInfo) -> list[str]:
    """Rows that only one side has, a few of them. The order is not looked at: rows that sort alike have none."""
    kinds = [next((type(value) for value in column if value is not None), str) for column in zip(*expected, strict=True)]
    ours = Counter(tuple(map(plain, row)) for row in expected)
    kinds = kinds or [str] * (len(given[0]) if given else 0)
    theirs = Counter(tuple(told(kind, value, zone) for kind, value in zip(kinds, row, strict=True)) for row in given)
    missing, more = ours - theirs, theirs - ours
    if len(given) == ROW_LIMIT < len(expected):
        missing = Counter()
    lines = [f"serving has {row}, Metabase has not" for row in missing] + [f"Metabase has {row}, serving has not" for row in more]
    rest = [f"and {len(lines) - SHOWN} more rows"] if len(lines) > SHOWN else []
    return lines[:SHOWN] + rest


def plain(value: Any) -> str | None:
    """A value as both sides can be brought to it: numbers to twelve digits, instants in UTC to the second."""
    match value:
        case None:
            return None
        case bool():
            return str(value)
        case int() | float() | Decimal():
            return f"{float(value):.12g}"
        case datetime():
            return value.astimezone(UTC).replace(microsecond=0).isoformat()
        case _:
            return str(value)


def told(kind: type, value: Any, zone: ZoneInfo) -> str | None:
    """A value of Metabase's JSON, where dates and instants are text, and large numbers may be."""
    if isinstance(value, str):
        try:
            if kind is date:
                return value[:10]
            if kind is datetime:
                instant = datetime.fromisoformat(value)
                return plain(instant if instant.tzinfo else instant.replace(tzinfo=zone))
            if kind in (int, float, Decimal):
                return plain(float(value))
        except ValueError:
            return value
    return plain(value)


def push_twice(settings: Settings) -> tuple[Push, Wanted, int]:
    """What was pushed, and how many writes the second push sent."""
    from dashboards.metabase.wanted import titles_chosen

    titles = titles_of(settings, titles_chosen)
    for number in (1, 2):
        what = wanted(settings, (), titles)
        done = push(settings, what)
        actions = Counter(change.action for change in done.changes)
        counts = ", ".join(f"{count} {action}" for action, count in actions.items())
        console.out.print(f"Push {number}: {done.metabase.writes} writes; {counts}")
    return done, what, done.metabase.writes


def with_example(settings: Settings) -> None:
    """Land the example shop where nothing has landed yet, and publish."""
    from orchestration.example import land_shop
    from orchestration.run import refresh

    now = datetime.now(UTC)
    if settings.landing.exists():
        raise SalwaError(f"{settings.landing} holds data already: the example shop needs a place of its own")
    land_shop(settings, now)
    refresh(settings, as_of=now.isoformat(), pulls=False)


def show(found: list[Compared]) -> None:
    table = Table(box=None, padding=(0, 2))
    for title in ("card", "cells", "differences"):
        table.add_column(title, justify="left" if title == "card" else "right")
    for one in found:
        count = len(one.differences)
        table.add_row(one.key, f"{one.cells:,}", f"[red]{count}[/]" if count else "[green]0[/]")
    console.out.print(table)
    for one in found:
        for line in one.differences:
            console.out.print(f"[red]{one.key}[/] {escape(line)}", soft_wrap=True)


def run(settings: Settings, is_example: bool = False) -> int:
    """The whole check; 0 where nothing differs.

    Raises:
        SalwaError: nothing is published, or Metabase cannot be reached or refuses.
    """
    if is_example:
        with_example(settings)
    pushed, what, writes = push_twice(settings)
    zone = settings.workspaces()[0].zone
    today = datetime.now(zone).date()
    with open_serving(settings) as connection, console.progress() as display:
        task = display.add_task("Asking", total=len(what.cards))
        found = compare(
            pushed,
            what,
            connection,
            zone,
            choices(today, some_values(connection)),
            lambda key: display.update(task, description=f"Asking {key}", advance=1),
        )
    show(found)
    if datetime.now(zone).date() != today:
        console.out.print("[yellow]Midnight passed meanwhile: differences may be those of two days. Run it again.[/]")
    problems = sum(len(one.differences) for one in found)
    if writes:
        console.out.print(f"[red]The second push sent {writes} writes; it should have sent none.[/]")
    if not found:
        console.out.print("[red]There is no card to compare.[/]")
    cells = sum(one.cells for one in found)
    console.out.print(f"{len(found)} cards, {cells:,} cells compared, {problems} differences.")
    return 1 if problems or writes or not cells else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--example", action="store_true", help="land and publish the example shop first")
    arguments = parser.parse_args()
    try:
        sys.exit(run(load_settings(), arguments.example))
    except SalwaError as error:
        console.err.print(f"[red]salwa:[/] {escape(str(error))}", soft_wrap=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
