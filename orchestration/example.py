"""`salwa example`: the bundled shop through the same door as real data, in a folder of its own."""

from __future__ import annotations

import json
import shutil
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from ingestion.settings import EXAMPLE_MARKER, Settings
from orchestration import console

RIYADH = ZoneInfo("Asia/Riyadh")
DAYS = 60


def run_example(settings: Settings) -> None:
    """Land the example shop if today's is not there yet, refresh, and show this month's figures."""
    from orchestration.run import refresh

    now = datetime.now(UTC)
    example = example_settings(settings)
    land_example(example, now)
    done = refresh(example, as_of=now.isoformat())
    console.out.print(
        f"[green]Published[/] the example shop: {done.rows:,} new rows from {done.files} files, "
        f"{done.models} models built, {done.tests} tests passed"
    )
    show_this_month(example, now.astimezone(RIYADH).date())


def example_settings(settings: Settings) -> Settings:
    """Settings of the example: a folder of its own, where its published key is used."""
    return settings.model_copy(update={"data": settings.data / "example"})


def land_example(example: Settings, now: datetime) -> None:
    """Make the shop's deliveries up to now and land them, once a day."""
    end = now.astimezone(RIYADH).date()
    marker = example.data / EXAMPLE_MARKER
    if marker.exists() and marker.read_text(encoding="utf-8") == end.isoformat():
        return
    shutil.rmtree(example.data, ignore_errors=True)
    land_shop(example, now)
    marker.write_text(end.isoformat(), encoding="utf-8")


def land_shop(example: Settings, now: datetime) -> None:
    """Make the shop's deliveries up to now and land them in a folder that holds no others."""
    from ingestion.example import example_workspaces_toml, write_example
    from ingestion.importing import import_archives

    end = now.astimezone(RIYADH).date()
    example.data.mkdir(parents=True, exist_ok=True)
    (example.data / "workspaces.toml").write_text(example_workspaces_toml(end), encoding="utf-8")
    with console.progress() as display, tempfile.TemporaryDirectory() as folder:
        task = display.add_task("Making the example shop", total=4)
        write_example(Path(folder), end, DAYS)
        display.update(task, advance=1)
        for source in ("whatsapp", "chatwoot", "salla"):
            keep_received_before(Path(folder) / source, now)
            import_archives(example.landing, "default", source, [Path(folder) / source])
            display.update(task, advance=1)


def keep_received_before(folder: Path, now: datetime) -> None:
    """Take out of the newest archives what has not been received yet: the story goes on until midnight."""
    today = now.astimezone(RIYADH).date()
    for path in folder.iterdir():
        if date.fromisoformat(path.name[:10]) < today:
            continue
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        path.write_text("".join(line for line in lines if is_received(line, now)), encoding="utf-8")


def is_received(line: str, now: datetime) -> bool:
    """Whether the delivery came before now; a line that is cut short came when it came."""
    try:
        return datetime.fromisoformat(json.loads(line)["received_at"]) < now
    except ValueError:
        return True


def show_this_month(example: Settings, today: date) -> None:
    """The default view of the dashboard, and where to look next."""
    from dashboards.figures import figures
    from dashboards.page.preview import write_preview
    from dashboards.serving import open_serving

    first = today.replace(day=1)
    with open_serving(example) as connection:
        found = figures(connection, first, today)
    page = write_preview(example, "en").file
    console.out.print()
    console.out.print(console.figures_table(found, f"This month, {first} – {today}"))
    console.out.print()
    for what, where in (
        ("The dashboard, any dates, in your browser", str(page.resolve())),
        ("Any range, channel, tag or agent", f"SALWA_DATA={example.data} .venv/bin/salwa figures --help"),
        ("How fresh, what was rejected", f"SALWA_DATA={example.data} .venv/bin/salwa status"),
        ("Facts and marts, for any tool that reads DuckDB", str(example.serving / "current.duckdb")),
        ("Jobs, lineage and checks in the browser", "make dev"),
    ):
        console.out.print(f"{what}:\n  [bold]{where}[/]", soft_wrap=True)
