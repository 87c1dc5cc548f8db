"""What `salwa check` can see of the receiver: its secrets, whether it runs, and whether anything came lately."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ingestion.pulling import Finding
from ingestion.receiver.files import BASE32
from ingestion.receiver.writer import HEARTBEAT_SECONDS, known_workers
from ingestion.settings import Settings, Workspace

LATELY = timedelta(hours=24)
NAME = re.compile(rf"\.?receive-[0-9]+-([0-7][{BASE32}]{{9}})[{BASE32}]{{16}}\.ndjson(\.open)?")
SILENT = timedelta(seconds=4 * HEARTBEAT_SECONDS)  # a receiver writes its heartbeat each HEARTBEAT_SECONDS


@dataclass(frozen=True)
class Secret:
    """What a source's webhooks are proved by: one of these settings is enough."""

    settings: tuple[str, ...]
    advice: str


SECRETS = {
    "whatsapp": (
        Secret(
            ("whatsapp_app_secret",),
            "copy it from Meta's app dashboard (App settings, Basic). Without it WhatsApp's deliveries are refused; Meta "
            "tries again for seven days, then they are lost",
        ),
        Secret(
            ("whatsapp_verify_token",),
            "make up a long word, set it here, and type the same one at Meta beside the callback address",
        ),
    ),
    "chatwoot": (
        Secret(
            ("chatwoot_webhook_secret", "chatwoot_webhook_path_token"),
            "copy the secret that Chatwoot shows for its webhook; for a Chatwoot that shows none, make up a long word and "
            "set SALWA_CHATWOOT_WEBHOOK_PATH_TOKEN. Without either, what Chatwoot sends is refused, and it sends it once",
        ),
    ),
    "salla": (
        Secret(
            ("salla_webhook_secret",),
            "copy the webhook secret from the app's page in Salla Partners (security strategy: Signature). Without it "
            "Salla's deliveries are refused; Salla tries three times more, then they are lost",
        ),
    ),
}


def check_receiver(settings: Settings, workspace: Workspace, source: str, now: datetime | None = None) -> list[Finding]:
    """The secrets of the source's path, the receiver's heartbeat, and the last delivery."""
    at = now or datetime.now(UTC)
    found = [secret_finding(settings, workspace, secret) for secret in SECRETS[source]]
    beats = known_workers(settings.data / "state" / "receiver-heartbeat.json")
    workers = {pid: worker for pid, worker in beats.items() if isinstance(worker, dict)}
    return [*found, heartbeat_finding(workers, at), delivery_finding(settings, workspace.name, source, workers, at)]


def secret_finding(settings: Settings, workspace: Workspace, secret: Secret) -> Finding:
    names = [f"SALWA_{name.upper()}" for name in secret.settings]
    for name, variable in zip(secret.settings, names, strict=True):
        if getattr(workspace, name) or getattr(settings, name):
            return Finding(f"receiver: {variable} is set", True)
    return Finding(f"receiver: {names[0]} is not set", False, f"{secret.advice}. Then start the receiver again")


def heartbeat_finding(workers: dict[str, dict[str, object]], at: datetime) -> Finding:
    """Whether a receiver that writes into this SALWA_DATA is alive."""
    running = [one for one in workers.values() if not one.get("stopped_at")]
    beats = [beat for beat in map(instant, (one.get("at") for one in running or workers.values())) if beat]
    if not beats:
        return Finding(
            "receiver: has not run here", False, "start `salwa receive` with the same SALWA_DATA, and keep it on"
        )
    last = max(beats)
    if not running:
        return Finding(
            f"receiver: stopped at {shown(last)}", False, "start `salwa receive`: what is sent now is refused"
        )
    if at - last > SILENT:
        return Finding(
            f"receiver: silent since {shown(last)}", False, "it was killed or hangs: start `salwa receive` again"
        )
    failed = sum(count for count in (one.get("write_errors") for one in running) if isinstance(count, int))
    troubles = f"; {failed} times it could not write, see its log" if failed else ""
    return Finding(f"receiver: runs{troubles}", True)


def delivery_finding(
    settings: Settings, workspace: str, source: str, workers: dict[str, dict[str, object]], at: datetime
) -> Finding:
    """Whether a webhook of the source came in the last 24 hours."""
    told = [(one.get("last_landed_at") or {}) for one in workers.values()]
    times = [instant(one.get(f"{workspace}/{source}")) for one in told if isinstance(one, dict)]
    times.append(last_file(settings.landing / workspace / source))
    last = max((time for time in times if time), default=None)
    if last is not None and at - last <= LATELY:
        return Finding(f"receiver: the last webhook came at {shown(last)}", True)
    what = f"receiver: no webhook since {shown(last)}" if last else "receiver: no webhook ever came"
    if refused := refusals(workers, source):
        advice = f"it refused {refused}: the secret here may not be the one the source uses"
    elif last:
        advice = "if something happened in the shop since, look whether the source still sends, and to which address"
    else:
        several = len(settings.workspaces()) > 1
        path = f"/w/{workspace}/webhooks/{source}" if several else f"/webhooks/{source}"
        advice = f"give https://<your name>{path} to the source and send a test: docs/sources/{source}.md says how"
    return Finding(what, False, advice)


def refusals(workers: dict[str, dict[str, object]], source: str) -> str:
    """'3 with 401' of a source's deliveries, since the receivers started."""
    counts: dict[str, int] = {}
    for worker in workers.values():
        refused = worker.get("refused")
        for kind, count in refused.items() if isinstance(refused, dict) else ():
            door, _, status = str(kind).rpartition(" ")
            if door == source and status in ("401", "403", "415") and isinstance(count, int):
                counts[status] = counts.get(status, 0) + count
    return ", ".join(f"{count} with {status}" for status, count in sorted(counts.items()))


def last_file(folder: Path) -> datetime | None:
    """When the receiver began its newest file, by the time in the file's name."""
    times = [time for path in folder.glob("*/*receive-*.ndjson*") if (time := time_of(path.name))]
    return max(times, default=None)


def time_of(name: str) -> datetime | None:
    """The instant in receive-<pid>-<ulid>.ndjson."""
    found = NAME.fullmatch(name)
    if not found:
        return None
    milliseconds = sum(BASE32.index(letter) << 5 * place for place, letter in enumerate(reversed(found[1])))
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def instant(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def shown(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
