"""`salwa erase`: forget a person, in everything that lies under SALWA_DATA and in what is served."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ingestion.erasing.lines import Rewritten, landing_without_erased, open_files, remove_left_over
from ingestion.erasing.people import Person, find_person, possible_ids
from ingestion.erasing.register import People, people_of, want_rebuild
from ingestion.errors import SalwaError
from ingestion.receiver.files import close_orphans
from ingestion.settings import Settings, Workspace
from orchestration import stages

PATIENCE = 10.0  # seconds more than the receiver takes to close a file
LOOK_AGAIN = 0.5
Progress = Callable[[str, int, int], None]
KIND_WORDS = {
    "phone": "phone numbers",
    "user": "business-scoped ids",
    "contact": "Chatwoot contacts",
    "customer": "Salla customers",
    "person": "customers of inbox exports",
    "conversation": "conversations of inboxes",
    "order": "orders",
    "wamid": "WhatsApp messages",
    "email": "e-mail addresses",
    "name": "names",
}


@dataclass(frozen=True)
class Plan:
    """What erasing somebody would rewrite. person: None where they were erased before, and may not be so everywhere."""

    workspace: Workspace
    person: Person | None
    rewritten: list[Rewritten]

    @property
    def lines(self) -> int:
        return sum(one.lines for one in self.rewritten)


def no_progress(what: str, done: int, total: int) -> None:
    """Tell nobody."""


def plan(
    settings: Settings, workspace: Workspace, text: str, kind: str | None = None, progress: Progress = no_progress
) -> Plan:
    """Who is meant, and what erasing them would rewrite. Nothing is changed.

    Raises:
        SalwaError: nobody is known by that id, or several are.
    """
    with stages.only_writer(settings):
        person = find_person(settings, workspace, text, kind)
        known = people_of(settings, workspace.name)
        if person is None and not was_erased(known, workspace, text):
            raise SalwaError(f"nobody in workspace {workspace.name} is known by {text}: nothing was changed")
        rehearsal = rehearsing(settings, workspace, person)
        found = landing_without_erased(
            settings, rehearsal, is_rehearsal=True, progress=lambda done, total: progress("Looking for them", done, total)
        )
    return Plan(workspace, person, found)


def rehearsing(settings: Settings, workspace: Workspace, person: Person | None) -> People:
    """The register as it would be, in memory."""
    people = people_of(settings, workspace.name, begin=True)
    assert people is not None  # noqa: S101 - begun
    people.file = None
    people.add(person.ids if person else [])
    return people


def was_erased(known: People | None, workspace: Workspace, text: str) -> bool:
    """Whether the register knows the id."""
    if known is None:
        return False
    for kind, value in possible_ids(workspace, text):
        if known.known(kind, value) or known.known(kind, f":{value}"):
            return True
    return False


def erase(settings: Settings, planned: Plan, progress: Progress = no_progress) -> list[Rewritten]:
    """Rewrite what has landed, and have the warehouse rebuilt by the next refresh. Killed at any point, do it again.

    The person is remembered first, so that what lands meanwhile is without them.
    """
    with stages.only_writer(settings):
        people = people_of(settings, planned.workspace.name, begin=True)
        assert people is not None  # noqa: S101 - begun
        want_rebuild(settings)
        people.add(planned.person.ids if planned.person else [])
        close_orphans(settings.landing)
        remove_left_over(settings.landing, planned.workspace.name)
        wait_for_receivers(settings, planned.workspace.name, progress)
        return landing_without_erased(
            settings, people, progress=lambda done, total: progress("Rewriting landed files", done, total)
        )


def wait_for_receivers(settings: Settings, workspace: str, progress: Progress) -> None:
    """Until the files are closed that receivers had open when the person was still unknown to them."""
    waiting: set[Path] = open_files(settings.landing, workspace)
    until = time.monotonic() + settings.receive_rotate_seconds + PATIENCE
    while waiting & open_files(settings.landing, workspace) and time.monotonic() < until:
        progress("Waiting for the receiver to close its files", 0, 0)
        time.sleep(LOOK_AGAIN)
        close_orphans(settings.landing)
