"""`salwa dashboards push`: what it asks for and what it shows."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from ingestion.errors import SalwaError
from ingestion.settings import Settings, load_settings
from orchestration import console

dashboards = typer.Typer(no_args_is_help=True, help="What people look at.")

COLOURS = {"created": "green", "changed": "cyan", "restored": "cyan", "removed": "yellow", "edited": "yellow", "unchanged": "dim"}
SHOWN_DETAILS = 6


@dashboards.command()
def push(
    plan: Annotated[bool, typer.Option("--plan", help="show what would be written, write nothing")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace what was edited by hand")] = False,
    site_settings: Annotated[
        bool, typer.Option("--site-settings", help="set zone, week and formats of a Metabase that others set up")
    ] = False,
    lang: Annotated[list[str] | None, typer.Option("--lang", help="ar, en or fr; all where none is named")] = None,
    mail_to: Annotated[
        list[str] | None, typer.Option("--mail-to", help="send the first language's dashboard there daily at eight")
    ] = None,
) -> None:
    """Set up a fresh Metabase with the dashboard, or update an existing one."""
    from dashboards.metabase.push import push as run_push
    from dashboards.metabase.wanted import titles_chosen, wanted

    settings = load_settings()
    # what cannot be read is told before anything is asked or written
    wanted(settings, tuple(lang or ()))
    with console.progress() as display:
        task = display.add_task("Reading what is served", total=None)
        titles = titles_of(settings, titles_chosen)
        done = run_push(
            settings,
            wanted(settings, tuple(lang or ()), titles, tuple(mail_to or ())),
            is_plan=plan,
            may_overwrite=overwrite,
            with_site_settings=site_settings,
            on_step=lambda step: display.update(task, description=f"Metabase: {step}"),
        )
    show(done, plan)


def titles_of(settings: Settings, titles_chosen: Any) -> dict[str, str]:
    """Titles that the data choose; the plain ones while nothing has been published."""
    from dashboards.serving import open_serving, query

    try:
        with open_serving(settings) as connection:
            return titles_chosen(lambda sql, values: query(connection, sql, values).as_dicts())
    except SalwaError as error:
        console.err.print(f"[yellow]Titles are the plain ones:[/] {error}", soft_wrap=True)
        return {}


def show(done: Any, is_plan: bool) -> None:
    """How many of each kind were created, changed, left; then each difference."""
    actions = [name for name in COLOURS if any(change.action == name for change in done.changes)]
    table = Table(box=None, padding=(0, 2), title="Would be written" if is_plan else None, title_justify="left")
    table.add_column("")
    for action in actions:
        table.add_column(action, justify="right", style=COLOURS[action])
    for kind in dict.fromkeys(change.kind for change in done.changes):
        counts = [sum((change.kind, change.action) == (kind, action) for change in done.changes) for action in actions]
        table.add_row(kind, *(str(count or "") for count in counts))
    console.out.print(table)
    for change in done.changes:
        if change.details or change.action == "edited":
            by_hand = " by hand" if change.was_edited else ""
            verb = "edited" if change.was_edited else change.action
            console.out.print(f"[{COLOURS[change.action]}]{verb}{by_hand}[/] {change.kind} {change.name}", soft_wrap=True)
            for line in change.details[:SHOWN_DETAILS]:
                console.out.print(f"    {line}", soft_wrap=True, markup=False, highlight=False)
            if len(change.details) > SHOWN_DETAILS:
                console.out.print(f"    and {len(change.details) - SHOWN_DETAILS} more")
    for advice in done.advice:
        console.out.print(f"[yellow]Note:[/] {advice}", soft_wrap=True)
    edited = sum(change.action == "edited" for change in done.changes)
    if edited:
        console.out.print(f"[yellow]{edited} edited by hand and left as they are[/]; --overwrite replaces them")
    if not is_plan:
        for language, identifier in done.ids.dashboards.items():
            console.out.print(f"{language}: {done.site_url}/dashboard/{identifier}", soft_wrap=True)
