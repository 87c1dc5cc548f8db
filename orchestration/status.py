"""`salwa status`: how fresh and how whole each source is, the receiver, the last runs, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.markup import escape
from rich.table import Table

from dashboards.serving import NothingPublished, open_serving, query
from ingestion.erasing.register import rebuild_since
from ingestion.errors import SalwaError
from ingestion.settings import EXAMPLE_MARKER, Settings
from ingestion.source_states import (
    SECRETS,
    STALE_AFTER,
    SourceState,
    basis_of,
    heartbeats,
    instant,
    is_stale,
    source_states,
    table,
    whole_number,
)
from orchestration import console
from orchestration.stages import last_runs

WIDE = 100  # columns of a terminal in which dates have room
COUNT_NAMES = {
    "conversations": "conversations",
    "open_conversations": "open conversations",
    "pending_conversations": "pending conversations",
    "sent_messages": "messages sent",
    "delivered_messages": "messages delivered",
    "priced_messages": "messages priced",
    "orders": "orders",
}
NAMES = {"chatwoot": "the inbox", "whatsapp": "Meta", "salla": "Salla"}
MISSING_ADVICE = {
    "chatwoot": "the nightly run asks for each conversation that is missing",
    "salla": "the nightly run lists orders again",
    "whatsapp": "what Meta's webhooks did not bring cannot be had later: was the receiver down?",
}


def status_of(settings: Settings, now: datetime | None = None) -> dict[str, Any]:
    """{"data", "now", "as_of", "zone", "sources", "reconciliation", "receiver", "runs", "problem", "to_do"}.

    Sources are the rows of mart_data_health with what is known of their doors at this moment; before anything is
    published, that alone. Reconciliation holds the comparisons of the last 30 days. Times are instants; the sentences of
    to_do tell them in the workspace's zone, those about no workspace in the first one's, which is "zone".
    """
    moment = now or datetime.now(UTC)
    health, reconciliation, problem = served_health(settings)
    states = source_states(settings)
    found: dict[str, Any] = {
        "data": str(settings.data.resolve()),
        "now": moment,
        "as_of": health[0]["as_of"] if health else None,
        "zone": settings.workspaces()[0].timezone,
        "zones": {workspace.name: workspace.timezone for workspace in settings.workspaces()},
        "is_rebuild_wanted": rebuild_since(settings) is not None,
        "sources": sources_now(health, states, moment),
        "reconciliation": reconciliation,
        "receiver": receiver_now(settings, moment),
        "runs": last_runs(settings),
        "problem": problem,
    }
    return found | {"to_do": list(to_do(found))}


def served_health(settings: Settings) -> tuple[list[dict[str, Any]], list[dict[str, Any]], str | None]:
    """Rows of mart_data_health, the recent ones of mart_source_reconciliation, and why serving cannot be read.

    None of them before anything is published.
    """
    try:
        with open_serving(settings) as connection:
            tables = query(connection, "select table_name from information_schema.tables where table_schema = 'marts'")
            health = query(connection, "select * from marts.mart_data_health order by workspace, source").as_dicts()
            if ("mart_source_reconciliation",) not in tables.rows:  # a copy that an older version published
                return health, [], None
            compared = query(
                connection,
                "select * from marts.mart_source_reconciliation where is_recent "
                "order by workspace, source, counted, to_at desc, from_at nulls first",
            )
            return health, compared.as_dicts(), None
    except NothingPublished:
        return [], [], None
    except SalwaError as error:
        return [], [], str(error)  # the runs still tell what happened


def sources_now(health: list[dict[str, Any]], states: list[SourceState], now: datetime) -> list[dict[str, Any]]:
    """Each source's row, with its doors as they are now."""
    published = {(row["workspace"], row["source"]): row for row in health}
    keys = sorted(published.keys() | {(state.workspace, state.source) for state in states})
    return [source_now(key, published.get(key, {}), states, now) for key in keys]


def source_now(
    key: tuple[str, str], row: dict[str, Any], states: list[SourceState], now: datetime
) -> dict[str, Any]:
    own = [state for state in states if (state.workspace, state.source) == key]
    basis = basis_of(key[1], own)
    door = next((state for state in own if state.kind == basis), None)
    success = door.last_success_at if door else row.get("last_success_at")
    others = [state.problem for state in own if state is not door and state.problem]
    stale = is_stale(basis, success, now)
    return row | {
        "workspace": key[0],
        "source": key[1],
        "success_basis": basis,
        "last_attempt_at": door.last_attempt_at if door else None,
        "last_success_at": success,
        "is_stale": stale,
        "stale_since": success if stale else None,
        "problem": (door.problem if door else None) or next(iter(others), None),
        "lag_seconds": seconds_since(row.get("last_event_at"), now),
    }


def receiver_now(settings: Settings, now: datetime) -> dict[str, Any] | None:
    """What the receiver last told of itself; None where there never was one and no secret asks for one."""
    beats = heartbeats(settings.data)
    if not beats:
        is_wanted = not (settings.data / EXAMPLE_MARKER).exists() and any(
            getattr(place, name)
            for place in (settings, *settings.workspaces())
            for names in SECRETS.values()
            for name in names
        )
        return {"last_heard_at": None, "is_alive": False, "is_stopped": False} if is_wanted else None
    heard_at = max(at for beat in beats if (at := instant(beat.get("at"))))
    refused: dict[str, int] = {}
    for beat in beats:
        for door, count in table(beat, "refused").items():
            refused[door] = refused.get(door, 0) + whole_number(count)
    living = [beat for beat in beats if not beat.get("stopped_at") and is_recent(beat, now)]
    return {
        "last_heard_at": heard_at,
        "is_alive": bool(living),
        "is_stopped": all(beat.get("stopped_at") for beat in beats),
        "workers": len(living),
        "landed": sum(whole_number(count) for beat in beats for count in table(beat, "landed").values()),
        "refused": refused,
        "write_errors": sum(whole_number(beat.get("write_errors")) for beat in beats),
    }


def is_recent(beat: dict[str, Any], now: datetime) -> bool:
    at = instant(beat.get("at"))
    return at is not None and now - at <= STALE_AFTER["receiver"]


def seconds_since(then: datetime | None, now: datetime) -> float | None:
    return max((now - then).total_seconds(), 0.0) if then else None


# --- what to do ------------------------------------------------------------------------------------------------------


def to_do(found: dict[str, Any]) -> Iterator[str]:
    """What is not well, most urgent first, each with what to do next."""
    receiver, zone = found["receiver"], found["zone"]
    if found["is_rebuild_wanted"]:
        yield "somebody was erased and the dashboard still shows their hashed rows: `salwa refresh` rebuilds without them"
    if receiver and not receiver["is_alive"]:
        since = f"silent since {minute(receiver['last_heard_at'], zone)}" if receiver["last_heard_at"] else "not started yet"
        yield f"the receiver is {since}: webhooks are not taken; start `salwa receive`"
    several = len({row["workspace"] for row in found["sources"]}) > 1
    for row in found["sources"]:
        name = f"{row['workspace']} · {row['source']}" if several else row["source"]
        yield from to_do_of_source(name, row, found["zones"].get(row["workspace"], zone))
    for row in worst_differences(found["reconciliation"]):
        name = f"{row['workspace']} · {row['source']}" if several else row["source"]
        yield f"{name}: {difference_text(row, found['zones'].get(row['workspace'], zone))}; {MISSING_ADVICE.get(row['source'], 'look at mart_source_reconciliation')}"
    if found["runs"] and found["runs"][0]["outcome"] != "published":
        yield "the last run failed, so readers see older numbers; docs/operations.md says what its message means"


def to_do_of_source(name: str, row: dict[str, Any], zone: str) -> Iterator[str]:
    basis, problem = row["success_basis"], row["problem"]
    if row["is_stale"] and basis == "pull":
        since = f"not everything since {minute(row['stale_since'], zone)}" if row["stale_since"] else "has never told everything yet"
        why = f" ({problem})" if problem else ""
        yield f"{name}: {since}{why}; `salwa check {row['source']}` says what to mend"
    elif problem:
        yield f"{name}: {problem}; `salwa check {row['source']}` looks at its settings"
    if row["is_stale"] and basis == "import" and row["stale_since"]:
        yield f"{name}: imported up to {minute(row['stale_since'], zone)} only; import what came since, or connect it"
    if row.get("gap_from_at"):
        between = f"between {minute(row['gap_from_at'], zone)}, where the import ends, and {minute(row['gap_to_at'], zone)}"
        yield f"{name}: nothing is known {between}, when the receiver began; import an archive of that time if there is one"
    rejected = (row.get("rejected_lines") or 0) + (row.get("rejected_items") or 0)
    if rejected:
        yield f"{name}: {rejected:,} rejected; `salwa rejects` says where and why"


def worst_differences(reconciliation: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Per source and what is counted the comparison that differs most; the newest of several."""
    worst: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in reconciliation:
        key = (row["workspace"], row["source"], row["counted"])
        if not row["is_in_agreement"] and (key not in worst or abs(row["difference"]) > abs(worst[key]["difference"])):
            worst[key] = row
    return list(worst.values())


def difference_text(row: dict[str, Any], zone: str) -> str:
    """Like "conversations: the inbox says 412, we have 410 (2026-11-22 19:20 Asia/Riyadh)"."""
    of_a_day = row["from_at"] is not None
    when = f"from {minute(row['from_at'], zone)} on" if of_a_day else minute(row["told_at"], zone)
    who = NAMES.get(row["source"], row["source"])
    return f"{COUNT_NAMES.get(row['counted'], row['counted'])}: {who} says {row['own_count']:,}, we have {row['our_count']:,} ({when})"


def minute(instant_: datetime, zone: str) -> str:
    """The zone's clock, and which zone it is: the page shows the same time."""
    return f"{instant_.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} {zone}"


# --- for a person ----------------------------------------------------------------------------------------------------


def show_status(found: dict[str, Any]) -> None:
    """Tables for a person."""
    if found["problem"]:
        console.out.print(f"[red]Serving cannot be read:[/] {found['problem']}", soft_wrap=True)
    elif not found["as_of"]:
        console.out.print(f"Nothing has been published in {found['data']} yet: import something, then `salwa refresh`.")
    if found["sources"]:
        console.out.print(sources_table(found, console.out.width >= WIDE))
    if found["receiver"]:
        console.out.print()
        console.out.print(receiver_line(found["receiver"], found["now"]))
    if found["runs"]:
        console.out.print()
        console.out.print(runs_table(found["runs"], found["zone"]))
    if found["to_do"]:
        console.out.print()
        console.out.print("To do", style="italic")
        for text in found["to_do"]:
            console.out.print(to_do_line(text))


def to_do_line(text: str) -> Table:
    """A line whose continuation stands under its beginning."""
    line = Table.grid(padding=(0, 1))
    line.add_column(width=1)
    line.add_column(overflow="fold")
    line.add_row("[yellow]![/]", escape(text))
    return line


def sources_table(found: dict[str, Any], is_wide: bool) -> Table:
    rows, now = found["sources"], found["now"]
    zones = {found["zones"].get(row["workspace"], found["zone"]) for row in rows}
    shown = f", as of {minute(found['as_of'], found['zone'])}" if found["as_of"] else ""
    made = Table(title=f"Sources{shown}", title_justify="left", box=None, padding=(0, 2, 0, 0))
    made.add_column("source", no_wrap=True)
    made.add_column("complete up to", no_wrap=True)
    if is_wide:
        made.add_column(f"last event ({zones.pop() if len(zones) == 1 else 'own zone'})", no_wrap=True)
    for name in ("lag", "landed", "loaded", "rejected"):
        made.add_column(name, justify="right", no_wrap=True)
    made.add_column("its own counts", no_wrap=True)
    several = len({row["workspace"] for row in rows}) > 1
    for row in rows:
        rejected = (row.get("rejected_lines") or 0) + (row.get("rejected_items") or 0)
        event = row.get("last_event_at")
        own = ZoneInfo(found["zones"].get(row["workspace"], found["zone"]))
        cells = [
            f"{row['workspace']} · {row['source']}" if several else row["source"],
            success_text(row, now),
            *([f"{event.astimezone(own):%Y-%m-%d %H:%M}" if event else "–"] if is_wide else []),
            console.duration_text(row["lag_seconds"]),
            number_text(row.get("landed_lines")),
            number_text(row.get("loaded_lines")),
            f"[yellow]{rejected:,}[/]" if rejected else number_text(row.get("rejected_lines")),
            counts_text(found["reconciliation"], row),
        ]
        made.add_row(*cells)
    return made


def success_text(row: dict[str, Any], now: datetime) -> str:
    at = row["last_success_at"]
    colour = "yellow" if row["is_stale"] else "green"
    if at is None:
        return f"[{colour}]never[/]"
    return f"[{colour}]{console.duration_text(seconds_since(at, now))} ago[/]"


def counts_text(reconciliation: list[dict[str, Any]], row: dict[str, Any]) -> str:
    own = [one for one in reconciliation if (one["workspace"], one["source"]) == (row["workspace"], row["source"])]
    differing = sum(not one["is_in_agreement"] for one in own)
    if not own:
        return "[dim]none[/]"
    return f"[yellow]✗ {differing} of {len(own)}[/]" if differing else f"[green]✓[/] {len(own)}"


def number_text(number: int | None) -> str:
    return "–" if number is None else f"{number:,}"


def receiver_line(receiver: dict[str, Any], now: datetime) -> str:
    if receiver["last_heard_at"] is None:
        return "Receiver: [yellow]not started yet[/]"
    ago = console.duration_text(seconds_since(receiver["last_heard_at"], now))
    workers = f"{receiver['workers']} worker{'s' if receiver['workers'] != 1 else ''}"
    ended = "stopped" if receiver["is_stopped"] else "silent"
    state = f"[green]alive[/], {workers}, heard {ago} ago" if receiver["is_alive"] else f"[yellow]{ended}[/] for {ago}"
    refused = sum(receiver["refused"].values())
    kinds = ", ".join(f"{door}: {count:,}" for door, count in sorted(receiver["refused"].items()))
    told = f" · landed {receiver['landed']:,}" + (f" · refused {refused:,} ({escape(kinds)})" if refused else "")
    failed = f" · [red]{receiver['write_errors']:,} failed writes[/]" if receiver["write_errors"] else ""
    return f"Receiver: {state}{told}{failed}"


def runs_table(runs: list[dict[str, Any]], zone: str) -> Table:
    made = Table(title="Last runs", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for name in (f"ended ({zone})", "job", "outcome"):
        made.add_column(name, no_wrap=True)
    made.add_column("", overflow="fold")
    for run in runs:
        good = run["outcome"] == "published"
        made.add_row(
            f"{datetime.fromisoformat(run['ended_at']).astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}",
            run.get("job", ""),
            f"[green]{run['outcome']}[/]" if good else f"[red]{run['outcome']}[/]",
            escape(run.get("message", "") or run.get("version", "")),
        )
    return made
