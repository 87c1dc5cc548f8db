"""Deliveries, landed lines and landing files without erased people.

The same line always becomes the same line, so that one that comes twice is known as a repetition; one that was rewritten
is left as it is, so that work that was killed is simply done again.
"""

from __future__ import annotations

import base64
import fcntl
import gzip
import json
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ingestion.erasing.chatwoot import WORDS_OF_A_NAME, Chatwoot
from ingestion.erasing.inbox import Inbox
from ingestion.erasing.register import People, people_of, register_file
from ingestion.erasing.salla import Salla
from ingestion.erasing.spelling import digits_of, phones_in
from ingestion.erasing.walking import Place, Rules, seconds, text_without_mentions, walked
from ingestion.erasing.whatsapp import Whatsapp
from ingestion.landing import Delivery, landed_line, read_lines, sync_folder
from ingestion.settings import Settings

RULES: dict[str, Rules] = {"whatsapp": Whatsapp(), "chatwoot": Chatwoot(), "salla": Salla(), "inbox": Inbox()}
REMOVED = b"[erased]"  # no JSON, as what stood there was none
LOOK_AGAIN = 1.0  # seconds after which a running service looks whether somebody was erased
WORD = re.compile(r"[^\W\d_]+")
PATH_ID = re.compile(r"/(contacts|customers|conversations|orders)/(\d+)")
ASKED_FOR = {"chatwoot": re.compile(r"/conversations/(\d+)"), "salla": re.compile(r"(?:/orders/|[?&]order_id=)(\d+)")}
ACCOUNT = re.compile(r"/accounts/(\d+)(?:/|$)")
Cleaner = Callable[[Delivery], Delivery]


# --- a delivery ------------------------------------------------------------------------------------------------------


def without_erased(delivery: Delivery, source: str, people: People) -> Delivery:
    """The delivery without erased people; the very same where it is not about them. Never raises, whatever the shape."""
    kind = call_without_erased(delivery.kind, people)
    body = body_without_erased(delivery, source, people)
    if body is delivery.body and kind == delivery.kind:
        return delivery
    return replace(delivery, body=body, kind=kind)


def body_without_erased(delivery: Delivery, source: str, people: People) -> bytes:
    try:
        document = json.loads(delivery.body)
        if not isinstance(document, dict | list):
            raise ValueError("a bare value")
        cleaned = walked(RULES[source], document, "", place_of(delivery, source, document), people)
    except (ValueError, RecursionError):
        text = delivery.body.decode("utf-8", "replace")
        return REMOVED if names_somebody(text, people) else delivery.body
    if cleaned == document:
        return delivery.body
    try:
        return json.dumps(cleaned, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    except UnicodeEncodeError:  # half a surrogate pair, which JSON can name and UTF-8 cannot hold
        return json.dumps(cleaned, separators=(",", ":")).encode("ascii")


def place_of(delivery: Delivery, source: str, document: Any) -> Place:
    call = delivery.kind.partition("?")[0].rstrip("/")
    found = ASKED_FOR[source].search(delivery.kind) if source in ASKED_FOR and delivery.kind != "webhook" else None
    account = ACCOUNT.search(call)
    told = (account and account[1]) or (delivery.account if source != "inbox" else delivery.account or "inbox")
    return Place(
        at=seconds(delivery.received_at), account=told or "", call=call, asked_for=found[1] if found else None
    )


def call_without_erased(kind: str, people: People) -> str:
    """A call without the ids of erased people in its path or question."""

    def renamed(found: re.Match[str]) -> str:
        what = {"contacts": "contact", "customers": "customer"}.get(found[1])
        known = people.stand_in(what, found[2]) or people.stand_in(what, f":{found[2]}") if what else None
        return f"/{found[1]}/{known.rpartition(':')[2]}" if known else found[0]

    return text_without_mentions(PATH_ID.sub(renamed, kind), "phone", None, people) if "/" in kind else kind


def names_somebody(text: str, people: People) -> bool:
    """Whether a text that is no JSON names an erased person anywhere; then none of it stays."""
    if text_without_mentions(text, "phone", None, people) != text:
        return True
    # no time is told, so a number counts that was theirs at any
    if any(people.known("phone", digits_of(digits)) for _start, _end, digits in phones_in(text)):
        return True
    words = WORD.findall(text)
    return any(
        people.known("name", " ".join(words[start : start + length]))
        for length in range(1, WORDS_OF_A_NAME + 1)
        for start in range(len(words) - length + 1)
    )


# --- what arrives ----------------------------------------------------------------------------------------------------


def cleaner(settings: Settings, workspace: str, source: str) -> Cleaner:
    """Takes erased people out of what arrives, for as long as a service runs: it notices when somebody is erased.

    Raises:
        SalwaError: of what it returns too: the register is damaged, or its key is missing.
    """
    path = register_file(settings.data)
    looked_at, version, people = -LOOK_AGAIN, 0, None

    def clean(delivery: Delivery) -> Delivery:
        nonlocal looked_at, version, people
        if time.monotonic() - looked_at >= LOOK_AGAIN:
            now = version_of(path)
            if now != version:
                people = people_of(settings, workspace) if now else None
                version = now
            looked_at = time.monotonic()
        return without_erased(delivery, source, people) if people else delivery

    return clean


def version_of(path: Path) -> int:
    """Changes whenever the file does; 0 where there is none."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


# --- what has landed -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rewritten:
    """What rewriting a source's files did, or would do."""

    source: str
    files: int
    lines: int


def line_without_erased(line: bytes, source: str, people: People) -> bytes:
    """A landed line without erased people; the very same where it is not about them."""
    try:
        envelope = json.loads(line)
        assert isinstance(envelope, dict)  # noqa: S101 - caught below
        body = envelope["body"].encode() if "body" in envelope else base64.b64decode(envelope["body_base64"])
        kind = str(envelope.get("kind") or "webhook")
    except (ValueError, KeyError, AttributeError, AssertionError, TypeError):
        return REMOVED if names_somebody(line.decode("utf-8", "replace"), people) else line
    told = Delivery(body, kind, envelope.get("received_at"), envelope.get("account"), envelope.get("reject"))
    cleaned = without_erased(told, source, people)
    return line if cleaned is told else landed_line(cleaned)


def file_without_erased(path: Path, source: str, people: People, is_rehearsal: bool = False) -> int:
    """Rewrite a landing file in one step; how many lines changed. Others stay as they were, to the byte."""
    lines = read_lines(path)
    cleaned = [line_without_erased(line, source, people) for line in lines]
    changed = sum(new is not old for new, old in zip(cleaned, lines, strict=True))
    if changed and not is_rehearsal:
        replace_file(path, cleaned)
    return changed


def replace_file(path: Path, lines: list[bytes]) -> None:
    """Write the file anew beside itself, and give it its name when it is on disk."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.partial")
    data = b"".join(line + b"\n" for line in lines)
    with fresh.open("wb") as raw:
        os.fchmod(raw.fileno(), path.stat().st_mode & 0o777)
        if path.name.endswith(".gz"):
            with gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=3, mtime=0) as packed:
                packed.write(data)
        else:
            raw.write(data)
        raw.flush()
        os.fsync(raw.fileno())
    fresh.replace(path)
    sync_folder(path.parent)


def workspace_files(landing: Path, workspace: str) -> Iterator[tuple[str, Path]]:
    """(source, file) of all whole landing files of a workspace, in order."""
    for source in RULES:
        for path in sorted((landing / workspace / source).glob("*/*")):
            if not path.name.startswith(".") and path.name.endswith((".ndjson", ".ndjson.gz")):
                yield source, path


def landing_without_erased(
    settings: Settings,
    people: People,
    is_rehearsal: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Rewritten]:
    """Take erased people out of all landed files of their workspace, and count lines and files by source.

    It looks twice, for what the first look learned of (an id told beside a known one) may stand in files before.

    Args:
        is_rehearsal: only count.
        progress: told (files done, files in all).
    """
    files = list(workspace_files(settings.landing, people.workspace))
    changed: dict[Path, int] = {}
    for again in range(2):
        before = len(people.entries)
        for done, (source, path) in enumerate(files, 1):
            count = file_without_erased(path, source, people, is_rehearsal)
            changed[path] = max(changed.get(path, 0), count)
            progress(done + again * len(files), 2 * len(files))
        if len(people.entries) == before:
            break
    return [
        Rewritten(source, sum(1 for count in own if count), sum(own))
        for source in RULES
        if any(own := [changed[path] for other, path in files if other == source])
    ]


def new_files_without_erased(settings: Settings, source: str, paths: list[Path]) -> None:
    """Before files are loaded: whatever door they came through, and also out of a backup, erased people are not in them."""
    known: dict[str, People | None] = {}
    for path in paths:
        workspace = path.relative_to(settings.landing).parts[0]
        if workspace not in known:
            known[workspace] = people_of(settings, workspace)
        if found := known[workspace]:
            file_without_erased(path, source, found)


def remove_left_over(landing: Path, workspace: str) -> None:
    """What killed imports left half written was never landed, and may name somebody. Who still writes holds a lock."""
    for left in (landing / workspace).glob("*/*/.*.partial"):
        with suppress(OSError), left.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            left.unlink()


def open_files(landing: Path, workspace: str) -> set[Path]:
    """Files that a receiver writes at the moment."""
    return set((landing / workspace).glob("*/*/.receive-*.open"))
