"""What a person sees in the terminal: progress, tables, one clear line when something is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


@contextmanager
def progress() -> Iterator[Progress]:
    """A live display on stderr, so that stdout stays clean for --json."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True) as display:
        yield display


def show_finding(what: str, is_good: bool, advice: str) -> None:
    """One thing that was looked at, and what to do about it; lines end between words at any width."""
    mark = Text("✓", style="green") if is_good else Text("✗", style="red")
    row = Table.grid(padding=(0, 1))
    row.add_column(width=1)
    row.add_column(overflow="fold")
    row.add_row(mark, Text(what))
    if advice and not is_good:
        row.add_row("", Text(advice, style="dim"))
    out.print(row)


def show_erasure(planned: Any, words: dict[str, str]) -> None:
    """Who would be erased, by how many ids, and what would be rewritten; no id is shown again."""
    if planned.person is None:
        out.print("They were erased before; what is left of that is done now.")
    else:
        counts = planned.person.counts()
        told = ", ".join(f"{word} {counts[kind]:,}" for kind, word in words.items() if counts.get(kind))
        out.print(f"One person, known by: {told}.", soft_wrap=True)
    if not planned.rewritten:
        out.print(f"Nothing that landed in workspace {planned.workspace.name} names them.")
        return
    out.print(f"In workspace {planned.workspace.name} would be rewritten:")
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("source")
    table.add_column("lines", justify="right")
    table.add_column("files", justify="right")
    for one in planned.rewritten:
        table.add_row(one.source, f"{one.lines:,}", f"{one.files:,}")
    out.print(table)


def duration_text(seconds: Decimal | float | None) -> str:
    """Seconds as people say them: 45 s, 12 min, 3 h 20 min, 2 d 4 h."""
    if seconds is None:
        return "–"
    whole = round(float(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes = round(whole / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def figures_table(figures: dict[str, Any], title: str) -> Table:
    """The headline figures as a table with their sub-lines."""
    table = Table(title=title, title_justify="left", show_header=False, box=None, padding=(0, 2))
    table.add_column(style="bold")
    table.add_column(justify="right", style="bold cyan")
    table.add_column(style="dim")
    for name, value, detail in figure_rows(figures):
        table.add_row(name, value, detail)
    return table


def coverage_text(first: date, last: date, covered: tuple[date, datetime] | None) -> str:
    """What the numbers are of, and whether the asked dates hold any."""
    if covered is None:
        return "[yellow]There is nothing yet: import something, then `salwa refresh`.[/]"
    begins, as_of = covered
    if first > as_of.date() or last < begins:
        return f"[yellow]There is nothing in these dates: the data runs from {begins} to {as_of:%Y-%m-%d %H:%M}.[/]"
    return f"[dim]Data as of {as_of:%Y-%m-%d %H:%M}.[/]"


def figure_rows(f: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(name, value, sub-line) of each headline figure."""
    closers = {"person": "by the team", "automation": "by a rule", "silence": "by itself", "unknown": "nobody knows by whom"}
    closed = [f"{words} {f[f'closed_by_{closer}']}" for closer, words in closers.items() if f[f"closed_by_{closer}"]]
    if f["ended_unanswered"]:
        closed.append(f"of all, without an answer {f['ended_unanswered']}")
    unread = "Unread" if f["unread_basis"] == "read_events" else "Not answered"
    return [
        ("Total conversations", str(f["total_conversations"]), f"{f['new_conversations']} new"),
        ("Open", str(f["open_conversations"]), f"backlog {f['open_at_end']}"),
        (
            "Closed",
            str(f["closed_conversations"]),
            " · ".join(closed),
        ),
        (unread, str(f["unread_conversations"]), ""),
        (
            "Waiting for a reply",
            str(f["waiting_conversations"]),
            f"longest {duration_text(f['oldest_wait_seconds'])}" if f["waiting_conversations"] else "",
        ),
        (
            "Average response time",
            duration_text(f["avg_response_seconds"]),
            f"half within {duration_text(f['response_seconds_p50'])} · in working hours "
            f"{duration_text(f['business_response_seconds_avg'])} · {f['answered_turns']} answered, "
            f"{f['unanswered_turns']} not",
        ),
        ("Unique customers", str(f["unique_customers"]), f"{f['contacted_customers']} contacted"),
        ("Average conversation length", duration_text(f["avg_duration_seconds"]), f"{f['ended_episodes']} ended"),
        (
            "Messages",
            str(f["messages"]),
            f"customers {f['customer_messages']} · team {f['agent_messages'] + f['unknown_messages']} · "
            f"automated {f['automation_messages']}",
        ),
    ]
