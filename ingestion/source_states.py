"""What is known of each source's doors: when its API was last asked and answered in full, when the receiver last lived.

state/<workspace>/<source>-attempts.json is written around each pull, so that a pull that fails, or is killed, leaves a
trace too; state/receiver-heartbeat.json is the receiver's. Nothing here goes into a business figure.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from ingestion.settings import Settings, Workspace
from ingestion.state import read_state, state_file, write_state

LIVE_SOURCES = ("whatsapp", "chatwoot", "salla")
OWN_STATES = {"whatsapp": "graph", "chatwoot": "chatwoot", "salla": "salla"}
SECRETS = {
    "whatsapp": ("whatsapp_app_secret",),
    "chatwoot": ("chatwoot_webhook_secret", "chatwoot_webhook_path_token"),
    "salla": ("salla_webhook_secret",),
}
NIGHTLY_PARTS = frozenset({"orders again", "orders of a year"})  # of a Salla pull, which a refresh leaves out
PROBLEM_LENGTH = 240
# as in mart_data_health, which says why; here for what is told between two builds
STALE_AFTER = {"pull": timedelta(hours=3), "receiver": timedelta(minutes=10), "import": timedelta(days=1)}
Basis = Literal["pull", "receiver", "import"]


@dataclass(frozen=True)
class SourceState:
    """One door of a source. `last_success_at`: until when we know that nothing was missed through it."""

    workspace: str
    source: str
    kind: Literal["pull", "receiver"]
    last_attempt_at: datetime
    last_success_at: datetime | None
    problem: str | None


def source_states(settings: Settings) -> list[SourceState]:
    """All doors that were ever open, by workspace and source."""
    found = []
    beats = heartbeats(settings.data)
    for workspace in settings.workspaces():
        for source in LIVE_SOURCES:
            found += pull_state(settings.data, workspace.name, source)
            found += receiver_state(settings, workspace, source, beats)
    return found


def basis_of(source: str, states: list[SourceState]) -> Basis:
    """Which of a source's doors brings everything, as in mart_data_health; "import" where none does."""
    kinds = {state.kind for state in states}
    if "pull" in kinds and source != "whatsapp":
        return "pull"
    return "receiver" if "receiver" in kinds else "import"


def is_stale(basis: Basis, last_success_at: datetime | None, now: datetime) -> bool:
    """Whether it is too long ago that we knew that we had everything."""
    return last_success_at is None or now - last_success_at > STALE_AFTER[basis]


# --- pulls -----------------------------------------------------------------------------------------------------------


def attempts_file(data: Path, workspace: str, source: str) -> Path:
    return state_file(data, workspace, f"{source}-attempts")


def note_attempt(data: Path, workspace: str, source: str, at: datetime) -> None:
    """A pull begins."""
    path = attempts_file(data, workspace, source)
    with suppress(OSError):  # a full disk is told by what lands
        write_state(path, tolerant_state(path) | {"last_attempt": at.isoformat(), "is_under_way": True})


def note_outcome(data: Path, workspace: str, source: str, began: datetime, problems: list[str]) -> None:
    """The pull that began then has ended; what it knows in full is read from its own memory."""
    path = attempts_file(data, workspace, source)
    before = tolerant_state(path)
    complete_to = complete_until(data, workspace, source, began) or before.get("last_success")
    with suppress(OSError):
        write_state(
            path,
            {
                "last_attempt": began.isoformat(),
                "is_under_way": False,
                "last_success": complete_to,
                "problems": [plain_problem(problem) for problem in problems],
            },
        )


def forget_attempts(data: Path, workspace: str, source: str) -> None:
    """The source has no key any more: nothing is expected of its API."""
    attempts_file(data, workspace, source).unlink(missing_ok=True)


def complete_until(data: Path, workspace: str, source: str, began: datetime) -> str | None:
    """Until when the pull that began then has everything; None where it did not come to its end.

    What happens while a pull runs may be missed by it, so it is its beginning. Salla is asked part by part, each
    as far as the plan's rate allows: the part that lags most counts. One that never came to its end is a problem
    of its own, not a delay.
    """
    own = tolerant_state(state_file(data, workspace, OWN_STATES[source]))
    if source == "salla":
        parts = own.get("successes")
        ends = [
            ended
            for name, text in (parts.items() if isinstance(parts, dict) else ())
            if name not in NIGHTLY_PARTS and (ended := instant(text))
        ]
        return min(began, *ends).isoformat() if ends else None
    ended = instant(own.get("last_success"))
    return began.isoformat() if ended and ended >= began else None


def pull_state(data: Path, workspace: str, source: str) -> list[SourceState]:
    told = tolerant_state(attempts_file(data, workspace, source))
    asked_at = instant(told.get("last_attempt"))
    if asked_at is None:
        return []
    problems = [str(one) for one in told.get("problems") or []]
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    problem = problems[0] + more if problems else None
    return [SourceState(workspace, source, "pull", asked_at, instant(told.get("last_success")), problem)]


# --- the receiver ----------------------------------------------------------------------------------------------------


def heartbeats(data: Path) -> list[dict[str, Any]]:
    """What each worker of the receiver last told; none where it never ran."""
    workers = tolerant_state(data / "state" / "receiver-heartbeat.json").get("workers")
    told = workers.values() if isinstance(workers, dict) else ()
    return [one for one in told if isinstance(one, dict) and instant(one.get("at"))]


def receiver_state(
    settings: Settings, workspace: Workspace, source: str, beats: list[dict[str, Any]]
) -> list[SourceState]:
    """The receiver as far as this source goes: one row where it takes the source's webhooks, or took some."""
    key = f"{workspace.name}/{source}"
    landed = sum(whole_number(table(beat, "landed").get(key)) for beat in beats)
    is_open = any(getattr(workspace, name) or getattr(settings, name) for name in SECRETS[source])
    alive_at = max((at for beat in beats if (at := instant(beat.get("at")))), default=None)
    if alive_at is None or not (is_open or landed):
        return []
    problem = None
    unwritten = sum(whole_number(beat.get("write_errors")) for beat in beats)
    refused = sum(whole_number(table(beat, "refused").get(f"{source} 401")) for beat in beats)
    if unwritten:
        reason = next((str(beat["last_write_error"]) for beat in beats if beat.get("last_write_error")), "unknown")
        problem = plain_problem(f"the receiver could not write {unwritten} times: {reason}; senders were told to try again")
    elif refused and not landed:
        problem = f"the receiver refused all {refused} deliveries: the secret here is not the one they are signed with"
    return [SourceState(workspace.name, source, "receiver", alive_at, alive_at, problem)]


# --- reading what may be damaged -------------------------------------------------------------------------------------


def tolerant_state(path: Path) -> dict[str, Any]:
    """The state; empty where it is missing or damaged."""
    try:
        told = read_state(path)
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def table(told: dict[str, Any], name: str) -> dict[str, Any]:
    found = told.get(name)
    return found if isinstance(found, dict) else {}


def whole_number(told: Any) -> int:
    return told if isinstance(told, int) and not isinstance(told, bool) else 0


def instant(told: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(told)
    except (TypeError, ValueError):
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def plain_problem(text: str) -> str:
    """A problem as it may be served: one short line, without what looks like a secret, a phone number or an address."""
    line = " ".join(text.split())
    line = re.sub(r"\S+@\S+\.\S+", "…", line)
    line = re.sub(r"(?=[A-Z_a-z-]*\d)[A-Za-z0-9_-]{32,}", "…", line)  # a name of ours has no digit
    line = re.sub(r"\+?\d[\d ()-]{6,}\d", "…", line)
    return line if len(line) <= PROBLEM_LENGTH else f"{line[: PROBLEM_LENGTH - 1]}…"
