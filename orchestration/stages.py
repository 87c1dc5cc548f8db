"""The stages of the main job as plain functions: load, build, publish. Dagster's assets and the command call these."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from dashboards.serving import drop_older, record_runs
from ingestion.duckdb_files import attach
from ingestion.erasing.register import people_of, rebuild_since, rebuilt, register_file
from ingestion.errors import SalwaError
from ingestion.settings import Settings
from ingestion.state import locked
from orchestration import engine

INGESTION = Path(__file__).parents[1] / "ingestion"
RUN_LOG = "runs.ndjson"
PREVIEW = "preview.html"  # drawn from serving
RUNS_SERVED = 20


def only_writer(settings: Settings) -> AbstractContextManager[None]:
    """One run at a time writes the warehouse; another waits for it."""
    return locked(settings.data / "refresh")


def prepare(settings: Settings, as_of: datetime, full: bool, note: Callable[[str], None] = lambda text: None) -> None:
    """Make the warehouse ready for a run: settings as tables, and everything thrown away that must be built anew.

    Args:
        as_of: the run's "now", with a zone.
        note: told in words why a full rebuild is needed.

    Raises:
        SalwaError: the key is missing, or another one than the ids in the warehouse, or of erased people, were made with.
    """
    from ingestion.receiver.files import close_orphans
    from ingestion.workspace_tables import write_workspace_tables

    # what a killed receiver had acknowledged is loaded now, not at its next start
    close_orphans(settings.landing)
    (settings.data / "dlt").mkdir(exist_ok=True)
    require_known_workspaces(settings)
    for workspace in settings.workspaces():
        people_of(settings, workspace.name)  # a register that cannot be read stops here, before anything is thrown away
    fingerprints = {"key": key_fingerprint(settings.key()), "ingestion": ingestion_fingerprint(), "engine": settings.engine}
    before = stored_fingerprints(settings)
    erased = rebuild_since(settings)
    register = register_file(settings.data)
    if before.get("register") and not register.exists():
        raise SalwaError(f"{register} is missing: without it erased people would come back; restore it from a backup")
    if not full and before.get("key", fingerprints["key"]) != fingerprints["key"]:
        raise SalwaError(
            "SALWA_PHONE_KEY is not the key this warehouse was built with: put the old one back, or give every customer "
            "a new id with `salwa refresh --full`"
        )
    if before.get("ingestion", fingerprints["ingestion"]) != fingerprints["ingestion"]:
        note("this version reads the landed files differently: rebuilding in full")
        full = True
    if before.get("engine", "duckdb") != settings.engine and before:
        note(f"another engine builds now, {settings.engine}: rebuilding in full")
        full = True
    if erased is not None and before.get("erased") != erased:
        note("somebody was erased: rebuilding in full without them")
        full = True
    if full:
        discard_warehouse(settings)
    if erased is not None:
        fingerprints["erased"] = erased
    if register.exists():
        fingerprints["register"] = "kept"
    write_workspace_tables(settings, as_of)
    store_fingerprints(settings, fingerprints)
    restrict(settings)


def require_known_workspaces(settings: Settings) -> None:
    """Refuse deliveries of a business that the settings do not name: nobody would know its clock.

    Raises:
        SalwaError: names the folder.
    """
    known = {workspace.name for workspace in settings.workspaces()}
    for folder in sorted(settings.landing.glob("*/")):
        if folder.name not in known:
            raise SalwaError(
                f"{folder} holds deliveries of a workspace that the settings do not name (they name "
                f"{', '.join(sorted(known))}): add it, or move the folder away"
            )


def discard_warehouse(settings: Settings) -> None:
    """Throw away everything that landing can rebuild; what is served stays."""
    for path in (settings.restricted, settings.warehouse):
        path.unlink(missing_ok=True)
        path.with_name(f"{path.name}.wal").unlink(missing_ok=True)
        path.with_name(f".{path.name}.compact").unlink(missing_ok=True)
    shutil.rmtree(settings.data / "dlt", ignore_errors=True)
    engine.discard(settings)


def forget_older_copies(settings: Settings) -> bool:
    """After publishing a warehouse that was rebuilt without somebody: remove what still shows them; whether that was so.

    Raises:
        SalwaError: PostgreSQL refuses; the next run tries again.
    """
    erased = rebuild_since(settings)
    if erased is None or stored_fingerprints(settings).get("erased") != erased:
        return False
    drop_older(settings)
    (settings.data / PREVIEW).unlink(missing_ok=True)
    rebuilt(settings, erased)
    return True


def restrict(settings: Settings) -> None:
    """Only the owner may read what holds personal data."""
    for path in (settings.restricted, settings.landing, settings.data / "dlt", settings.data / "lake"):
        if path.exists():
            path.chmod(0o700 if path.is_dir() else 0o600)


def key_fingerprint(key: str) -> str:
    """Tells two keys apart without telling either."""
    return hashlib.scrypt(key.encode(), salt=b"salwa key fingerprint", n=2**14, r=8, p=1, dklen=16).hex()


def ingestion_fingerprint() -> str:
    """Changes whenever the SQL that reads landed files does."""
    digest = hashlib.sha256()
    for path in sorted(INGESTION.rglob("*.sql")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:32]


def stored_fingerprints(settings: Settings) -> dict[str, str]:
    if not settings.restricted.exists():
        return {}
    with duckdb.connect(str(settings.restricted)) as connection:
        known = connection.execute(
            "select count(*) from information_schema.tables where table_schema = 'settings' and table_name = 'fingerprints'"
        ).fetchone()
        if not known or not known[0]:
            return {}
        return dict(connection.execute("select name, value from settings.fingerprints").fetchall())


def store_fingerprints(settings: Settings, fingerprints: dict[str, str]) -> None:
    with duckdb.connect(str(settings.restricted)) as connection:
        connection.execute("create or replace table settings.fingerprints (name varchar, value varchar)")
        connection.executemany("insert into settings.fingerprints values (?, ?)", list(fingerprints.items()))


def log_run(settings: Settings, **what: Any) -> None:
    """Add a run to the log that `salwa status` reads."""
    with (settings.data / RUN_LOG).open("a", encoding="utf-8") as log:
        log.write(json.dumps({"ended_at": datetime.now(UTC).isoformat(), **what}, ensure_ascii=False) + "\n")
    if what["outcome"] != "published":
        # what readers see stays, but they are told that it was not renewed; serving itself may be what failed
        with suppress(SalwaError, OSError, duckdb.Error):
            record_runs(settings, last_runs(settings, RUNS_SERVED))


def runs_with_this_one(settings: Settings, job: str) -> list[dict[str, Any]]:
    """The run log as it will stand when the run that publishes now has ended."""
    this = {"ended_at": datetime.now(UTC).isoformat(), "job": job, "outcome": "published"}
    return [this, *last_runs(settings, RUNS_SERVED - 1)]


def last_runs(settings: Settings, count: int = 5) -> list[dict[str, Any]]:
    """The newest runs, newest first."""
    path = settings.data / RUN_LOG
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()[-count:]
    return [json.loads(line) for line in reversed(lines)]


def compact(settings: Settings) -> None:
    """Write both database files anew, so that they hold no free space that rebuilding left."""
    for path in (settings.restricted, settings.warehouse):
        if not path.exists():
            continue
        fresh = path.with_name(f".{path.name}.compact")
        fresh.unlink(missing_ok=True)
        with duckdb.connect(":memory:") as connection:
            attach(connection, path, "packed", read_only=True)
            attach(connection, fresh, "fresh")
            connection.execute("copy from database packed to fresh")
        fresh.replace(path)
    restrict(settings)
