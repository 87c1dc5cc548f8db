"""The salwa command."""

from __future__ import annotations

import json
import os
import secrets
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from ingestion.errors import SalwaError
from ingestion.settings import Settings, load_settings
from orchestration import console
from orchestration.dashboards_cli import dashboards
from orchestration.services import Service

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="The warehouse that tells a Salla merchant, truthfully, how it goes with customers on WhatsApp.",
)
imports = typer.Typer(no_args_is_help=True, help="Land archives of deliveries, or an inbox's export.")
app.add_typer(imports, name="import")
app.add_typer(dashboards, name="dashboards")

Paths = Annotated[list[Path], typer.Argument(help="files or folders: .ndjson, .jsonl, .json, also .gz and .zst")]
WorkspaceName = Annotated[str | None, typer.Option("--workspace", help="whose data it is")]
Account = Annotated[str | None, typer.Option("--account", help="the account, where the deliveries do not name it")]


def workspace_of(settings: Settings, name: str | None) -> str:
    """The workspace that is meant.

    Raises:
        SalwaError: it is not configured, or there are several and none was named.
    """
    names = [workspace.name for workspace in settings.workspaces()]
    if name is None and len(names) == 1:
        return names[0]
    if name is None or name not in names:
        raise SalwaError(f"--workspace {name or 'is needed'}: there is {', '.join(names)}")
    return name


def land(source: str, paths: list[Path], workspace: str | None, account: str | None = None) -> None:
    from ingestion.erasing.lines import cleaner
    from ingestion.importing import import_archives

    settings = load_settings()
    chosen = workspace_of(settings, workspace)
    with console.progress() as display:
        task = display.add_task(f"Landing {source}", total=None)
        imported = import_archives(
            settings.landing,
            chosen,
            source,
            paths,
            account,
            lambda done, total: display.update(task, completed=done, total=total),
            cleaner(settings, chosen, source),
        )
    report_import(imported)


def report_import(imported: Any) -> None:
    console.out.print(f"[green]Landed[/] {imported.lines:,} lines from {imported.files} files")
    if imported.known_files:
        console.out.print(f"  {imported.known_files} files had been landed before: left alone")
    if imported.left_out:
        console.out.print(f"  {imported.left_out} answers of the token endpoint left out: secrets never land")
    if imported.unreadable:
        console.out.print(f"  [yellow]{imported.unreadable} lines cannot be read[/]: they will be rejects, with file and line")


@imports.command("whatsapp")
def import_whatsapp(paths: Paths, workspace: WorkspaceName = None) -> None:
    """Archived Cloud API webhooks: a line is Meta's body or {"received_at": …, "body": …}."""
    land("whatsapp", paths, workspace)


@imports.command("chatwoot")
def import_chatwoot(paths: Paths, workspace: WorkspaceName = None, account: Account = None) -> None:
    """Archived Chatwoot webhooks and API pages: a line is {"received_at": …, "kind": …, "body": …}."""
    land("chatwoot", paths, workspace, account)


@imports.command("salla")
def import_salla(paths: Paths, workspace: WorkspaceName = None) -> None:
    """Archived Salla webhooks and API pages: a line is {"received_at": …, "kind": …, "body": …}."""
    land("salla", paths, workspace)


@imports.command("inbox")
def import_inbox(
    directory: Annotated[Path, typer.Argument(help="the export: messages.parquet, .csv or .ndjson and what else it has")],
    name: Annotated[str | None, typer.Option("--name", help="keeps ids of different inboxes apart [directory's name]")] = None,
    workspace: WorkspaceName = None,
) -> None:
    """An inbox's export in the documented format."""
    from ingestion.erasing.lines import cleaner
    from ingestion.inbox.export import import_export

    settings = load_settings()
    chosen = workspace_of(settings, workspace)
    with console.progress() as display:
        task = display.add_task("Landing inbox", total=None)
        imported = import_export(
            settings.landing,
            chosen,
            directory,
            name,
            lambda done, total: display.update(task, completed=done, total=total),
            cleaner(settings, chosen, "inbox"),
        )
    report_import(imported)


@app.command()
def refresh(
    full: Annotated[bool, typer.Option("--full", help="rebuild everything from landing")] = False,
    no_pull: Annotated[bool, typer.Option("--no-pull", help="take only what has landed, ask no source")] = False,
    as_of: Annotated[str, typer.Option("--as-of", help="fix now, like 2026-10-31T23:59:59+03:00")] = "",
) -> None:
    """Load what has landed, build, test, publish."""
    from orchestration.run import refresh as run_refresh

    done = run_refresh(load_settings(), full=full, as_of=as_of, pulls=not no_pull)
    console.out.print(
        f"[green]Published[/] {done.version}: {done.rows:,} new rows from {done.files} files, "
        f"{done.models} models built, {done.tests} tests passed",
        soft_wrap=True,
    )


@app.command("rejects")
def show_rejected(as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False) -> None:
    """What could not be read: landing file, line and reason."""
    from orchestration.rejects import rejects, show_rejects

    found = rejects(load_settings())
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
    else:
        show_rejects(found)


@app.command()
def rollback() -> None:
    """Show readers the version before the current one, which is removed."""
    from dashboards.serving import open_serving, serving_version
    from dashboards.serving import rollback as go_back
    from orchestration import stages
    from orchestration.status import minute

    settings = load_settings()
    with stages.only_writer(settings):
        version = go_back(settings)
    stages.log_run(settings, job="rollback", outcome="rolled back", version=version)
    with open_serving(settings) as connection:
        told = serving_version(connection)
    zone = settings.workspaces()[0].timezone
    shown = f"the numbers as of {minute(told['as_of'], zone)}" if told else "the version before"
    console.out.print(f"[green]Readers see[/] {shown} again ({version}). The next refresh publishes anew.", soft_wrap=True)


@app.command("figures")
def show_figures(
    from_date: Annotated[str, typer.Option("--from", help="first local date, like 2026-10-01")],
    to_date: Annotated[str, typer.Option("--to", help="last local date, included")],
    workspace: WorkspaceName = None,
    channel: Annotated[str | None, typer.Option(help="one inbox or number, by its name, id or phone number")] = None,
    tag: Annotated[str | None, typer.Option(help="conversations that carried it in the range")] = None,
    agent: Annotated[str | None, typer.Option(help="conversations in which the agent wrote")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
) -> None:
    """The headline figures of any range, from the serving copy."""
    from dashboards.figures import coverage, figures
    from dashboards.serving import open_serving

    first, last = parsed_date("--from", from_date), parsed_date("--to", to_date)
    with open_serving(load_settings()) as connection:
        found = figures(connection, first, last, workspace, channel, tag, agent)
        covered = coverage(connection, workspace)
    if as_json:
        print(json.dumps(found, default=plain_json, ensure_ascii=False))
    else:
        console.out.print(console.figures_table(found, f"{first} – {last}"))
        console.out.print(console.coverage_text(first, last, covered))


def parsed_date(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise SalwaError(f"{option} {text!r} is not a date like 2026-10-01") from None


def plain_json(value: Any) -> Any:
    """Decimals as JSON numbers, instants as ISO text."""
    return float(value) if isinstance(value, Decimal) else value.isoformat()


@dashboards.command()
def preview(
    lang: Annotated[str, typer.Option(help="of the first look: ar, en or fr; the page holds all three")] = "ar",
    out: Annotated[Path | None, typer.Option("--out", help="where to write it [SALWA_DATA/preview.html]")] = None,
    serve: Annotated[bool, typer.Option("--serve", help="show it on localhost, new after each refresh")] = False,
    port: Annotated[int, typer.Option(help="with --serve")] = 8765,
) -> None:
    """The dashboard as one HTML file that needs no server."""
    from dashboards.page.preview import serve_preview, write_preview

    settings = load_settings()
    if serve:
        serve_preview(settings, lang, port, lambda address: console.out.print(f"[bold]{address}[/]  (Ctrl+C ends it)"))
        return
    written = write_preview(settings, lang, out)
    console.out.print(f"[green]Written[/] {written.file} ({written.size / 1e6:.1f} MB)", soft_wrap=True)


@app.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False) -> None:
    """How fresh each source is, the last runs, failed tests, rejects."""
    from orchestration.status import show_status, status_of

    found = status_of(load_settings())
    if as_json:
        print(json.dumps(found, default=plain_json, ensure_ascii=False))
    else:
        show_status(found)


@app.command()
def receive(
    host: Annotated[str, typer.Option(help="where to listen; put TLS in front")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="the port")] = 8080,
    workers: Annotated[int, typer.Option(help="processes that share the port")] = 1,
) -> None:
    """Take webhooks of WhatsApp, Chatwoot and Salla; what is acknowledged is on disk."""
    from ingestion.receiver.server import serve
    from orchestration.refresh_page import routes

    settings = load_settings()
    serve(settings, host, port, workers, more_routes=routes(settings))


@app.command()
def check(
    source: Annotated[str, typer.Argument(help="whatsapp, chatwoot or salla")], workspace: WorkspaceName = None
) -> None:
    """What is missing between nothing and data flowing from a source."""
    from orchestration.pulls import check as findings_of

    settings = load_settings()
    name = workspace_of(settings, workspace)
    chosen = next(one for one in settings.workspaces() if one.name == name)
    bad = 0
    for finding in findings_of(settings, chosen, source):
        console.show_finding(finding.what, finding.is_good, finding.advice)
        bad += not finding.is_good
    what = "1 thing" if bad == 1 else f"{bad} things"
    console.out.print(f"\n{what} to do, marked with ✗." if bad else "\nNothing is missing.")
    raise typer.Exit(1 if bad else 0)


@app.command("salla-login")
def salla_login(
    redirect: Annotated[
        str | None, typer.Option(help="the app's callback address at Salla Partners [http://localhost:8976/salla]")
    ] = None,
    workspace: WorkspaceName = None,
) -> None:
    """Connect a Salla store by logging in, for an app in custom mode; also without a browser on this machine."""
    from ingestion.salla.login import REDIRECT, log_in

    settings = load_settings()
    name = workspace_of(settings, workspace)
    store = log_in(settings, name, redirect or REDIRECT)
    console.out.print(f"[green]Connected[/]: workspace {name} is Salla store {store}.")
    console.out.print("Next: `salwa check salla` shows what the tokens open, `salwa refresh` fetches the orders.")


@app.command("erase")
def erase_person(
    id_: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="phone, business-scoped id, Chatwoot contact, Salla customer, e-mail, or the dashboard's customer_id"
        ),
    ],
    workspace: WorkspaceName = None,
    kind: Annotated[str | None, typer.Option(help="what the ID is, where it may be several: phone, user, contact, customer, email, hash")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
    no_refresh: Annotated[bool, typer.Option("--no-refresh", help="leave the rebuild to the next refresh")] = False,
) -> None:
    """Forget a person: take them out of everything landed, and rebuild without them. Figures stay as they are."""
    from orchestration import erase as erasing
    from orchestration.run import refresh as run_refresh

    settings = load_settings()
    name = workspace_of(settings, workspace)
    chosen = next(one for one in settings.workspaces() if one.name == name)
    with console.progress() as display:
        task = display.add_task("Looking for them", total=None)

        def told(what: str, done: int, total: int) -> None:
            display.update(task, description=what, completed=done, total=total or None)

        planned = erasing.plan(settings, chosen, id_, kind, told)
    console.show_erasure(planned, erasing.KIND_WORDS)
    if not yes and not typer.confirm("Rewrite them? Nobody can bring this back"):
        raise typer.Exit(1)
    with console.progress() as display:
        task = display.add_task("Rewriting", total=None)
        rewritten = erasing.erase(settings, planned, told)
    console.out.print(f"[green]Forgotten[/]: {sum(one.lines for one in rewritten):,} lines rewritten.")
    if no_refresh:
        console.out.print("The next `salwa refresh` rebuilds in full; until then the dashboard shows their hashed rows.")
        return
    done = run_refresh(settings, full=True, pulls=False)
    console.out.print(f"[green]Published[/] {done.version} without them; older copies that showed their rows are gone.")
    console.out.print("Left to you: backups, exports, the sources themselves (docs/operations.md, Erasing a person).")


@app.command()
def keygen() -> None:
    """Make a key for SALWA_PHONE_KEY."""
    console.err.print("[dim]Keep it: another key gives every customer a new id. In .env: SALWA_PHONE_KEY=…[/]")
    print(secrets.token_urlsafe(32))


@app.command()
def example() -> None:
    """Run everything on the bundled example shop, in a folder of its own."""
    from orchestration.example import run_example

    run_example(load_settings())


@app.command()
def dev(port: Annotated[int, typer.Option(help="of the web page")] = 3000) -> None:
    """Dagster's page on localhost, with the daemon that runs schedules."""
    from orchestration.dagster_home import dagster_home
    from orchestration.example import example_settings

    settings = load_settings()
    shop = example_settings(settings)
    if settings.phone_key is None and shop.data.exists():
        console.err.print(f"[yellow]SALWA_PHONE_KEY is not set: showing the example shop in {shop.data}[/]")
        settings = shop
    dagster_home(settings)
    os.environ["SALWA_DATA"] = str(settings.data.resolve())
    root = Path(__file__).parents[1]
    os.chdir(root)
    program = str(Path(sys.executable).with_name("dagster"))
    os.execv(program, [program, "dev", "-w", str(root / "workspace.yaml"), "-h", "127.0.0.1", "-p", str(port)])  # noqa: S606


@app.command()
def dagster(
    service: Annotated[Service, typer.Argument(help="code holds the jobs and runs them; start it first")],
    host: Annotated[str, typer.Option(help="where to listen; Dagster has no log-in")] = "127.0.0.1",
    port: Annotated[int | None, typer.Option(help="the port [4000 of code, 3000 of webserver]")] = None,
) -> None:
    """One of Dagster's services alone, for a supervisor; `salwa dev` runs them all."""
    from orchestration.services import become

    become(load_settings(), service, host, port or (4000 if service is Service.code else 3000))


def main() -> None:
    """Run the command; what a person can mend is one line and exit code 2."""
    try:
        app(standalone_mode=True)
    except SalwaError as error:
        console.err.print(f"[red]salwa:[/] {escape(str(error))}", soft_wrap=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
