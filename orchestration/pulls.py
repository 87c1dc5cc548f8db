"""What is asked of the sources' APIs, for every workspace that has the key to one; each source fails alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from ingestion.errors import SalwaError
from ingestion.pulling import Finding
from ingestion.settings import EXAMPLE_MARKER, Settings, Workspace
from ingestion.source_states import LIVE_SOURCES, forget_attempts, note_attempt, note_outcome

Depth = Literal["refresh", "nightly"]
PULLED_SOURCES = LIVE_SOURCES


@dataclass(frozen=True)
class SourcePull:
    """What a pull of one source brought, over all workspaces."""

    lines: int
    problems: list[str]


def pull(settings: Settings, source: str, depth: Depth) -> SourcePull:
    """Ask a source's API for what is new and land it; what could not be asked is said, never raised."""
    lines, problems = 0, []
    for workspace in settings.workspaces():
        if not is_connected(settings, workspace, source):
            forget_attempts(settings.data, workspace.name, source)
            continue
        began, told = datetime.now(UTC), []
        note_attempt(settings.data, workspace.name, source, began)
        try:
            pulled = puller(source)(settings, workspace, depth)
            lines += pulled.pages
            told = list(pulled.problems)
        except SalwaError as error:
            told = [str(error)]
        except Exception as error:  # a fault of ours in one source must not stop the others; its text may hold a secret
            told = [f"the pull broke off with {type(error).__name__}; the next one goes on"]
        note_outcome(settings.data, workspace.name, source, began, told)
        problems += [f"{workspace.name}: {problem}" for problem in told]
    return SourcePull(lines, problems)


def is_connected(settings: Settings, workspace: Workspace, source: str) -> bool:
    """Whether there is anything to ask the source with."""
    if (settings.data / EXAMPLE_MARKER).exists():
        return False  # the example's people do not exist, and its addresses must not be shown your keys
    if source == "chatwoot":
        return bool(workspace.chatwoot_url and (workspace.chatwoot_token or settings.chatwoot_token))
    if source == "whatsapp":
        return bool(workspace.whatsapp_graph_token or settings.whatsapp_graph_token)
    from ingestion.salla.tokens import connection

    return connection(settings, workspace.name) is not None


def puller(source: str) -> Callable[[Settings, Workspace, Depth], object]:
    """The source's own pull, with the moment it is asked: never a run's --as-of."""
    if source == "chatwoot":
        from ingestion.chatwoot.pull import pull_chatwoot

        return lambda settings, workspace, depth: pull_chatwoot(settings, workspace, depth, datetime.now(UTC))
    if source == "whatsapp":
        from ingestion.whatsapp.graph import pull_graph

        return lambda settings, workspace, depth: pull_graph(settings, workspace, datetime.now(UTC))
    from ingestion.salla.pull import pull_salla

    return lambda settings, workspace, depth: pull_salla(settings, workspace.name, depth, datetime.now(UTC))


def check(settings: Settings, workspace: Workspace, source: str) -> Iterator[Finding]:
    """What is missing between nothing and data flowing, in plain words.

    Raises:
        SalwaError: there is no such source.
    """
    if source not in PULLED_SOURCES:
        raise SalwaError(f"there is nothing to check of {source!r}; there is {', '.join(PULLED_SOURCES)}")
    from ingestion.receiver.checks import check_receiver

    yield from check_receiver(settings, workspace, source)
    if source == "chatwoot":
        from ingestion.chatwoot.checks import check_chatwoot

        yield from check_chatwoot(settings, workspace)
    elif source == "whatsapp":
        from ingestion.whatsapp.graph import check_whatsapp

        yield from check_whatsapp(settings, workspace)
    else:
        from ingestion.salla.check import check_salla

        yield from check_salla(settings, workspace.name)
