"""`salwa import`: archives of deliveries, and exports of an inbox, into the landing zone.

An import appears whole or not at all. A file that was imported before is known by its content and lands no second
time; a line that cannot be read lands all the same, with the reason, and is a reject when it is loaded.
"""

from __future__ import annotations

import errno
import gzip
import hashlib
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import zstandard

from ingestion.errors import SalwaError
from ingestion.landing import LINE_BYTES, Delivery, LandingWriter, already_landed
from ingestion.redaction import redact

ARCHIVE_SUFFIXES = (".ndjson", ".jsonl", ".json", ".log", ".txt")
UNLANDED_KINDS = ("POST /oauth2/token",)  # answers of the token endpoint are nothing but secrets
DECODER = json.JSONDecoder()
LOOKED_AT = 5  # deliveries of an archive, to see whose they are
CHATWOOT_EVENTS = ("message_created", "message_updated", "conversation_created", "conversation_updated", "conversation_status_changed")
WHITESPACE = " \t\r\n"


@dataclass(frozen=True)
class Imported:
    """What an import did."""

    files: int
    lines: int
    unreadable: int
    known_files: int
    left_out: int


def archive_files(paths: list[Path]) -> list[Path]:
    """The files to read, folders searched for archives.

    Raises:
        SalwaError: a path is not there, or a folder holds no archive.
    """
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise SalwaError(f"{path} does not exist")
        inside = sorted(p for p in path.rglob("*") if p.is_file() and is_archive(p)) if path.is_dir() else [path]
        if not inside:
            raise SalwaError(f"{path} holds no archive: looked for {', '.join(ARCHIVE_SUFFIXES)}, also .gz and .zst")
        found.extend(inside)
    return found


def is_archive(path: Path) -> bool:
    name = path.name.removesuffix(".gz").removesuffix(".zst")
    return not path.name.startswith(".") and name.endswith(ARCHIVE_SUFFIXES)


def decompressed(path: Path) -> io.BufferedIOBase:
    if path.name.endswith(".gz"):
        return gzip.open(path, "rb")  # type: ignore[return-value]
    if path.name.endswith(".zst"):
        return zstandard.open(path, "rb")  # type: ignore[return-value]
    return path.open("rb")


def content_hash(path: Path) -> str:
    """sha256 of the file's decompressed content, so that packing it anew does not make it new.

    Raises:
        SalwaError: the file cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with decompressed(path) as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    except (OSError, EOFError, zstandard.ZstdError) as error:
        raise SalwaError(f"{path} cannot be read: {error}") from None
    return digest.hexdigest()


def archived_deliveries(path: Path) -> Iterator[tuple[Delivery, bool]]:
    """The deliveries of one archive file, each with whether it is JSON: a .json file that is one document, else a line each."""
    if path.name.removesuffix(".gz").removesuffix(".zst").endswith(".json") and path.stat().st_size <= LINE_BYTES:
        with decompressed(path) as stream:
            whole = stream.read()
        delivery, is_json = unwrapped(whole.strip())
        if is_json:
            yield delivery, True
            return
    with decompressed(path) as stream:
        for line in stream:
            if line.strip():
                yield unwrapped(line.strip())


def require_source(source: str, deliveries: Iterator[tuple[Delivery, bool]], path: Path) -> None:
    """Refuse an archive whose first deliveries say that they are another source's.

    Raises:
        SalwaError: what to import them as.
    """
    for delivery, _is_json in islice(deliveries, LOOKED_AT):
        told = source_told(delivery.body)
        if told not in (None, source):
            raise SalwaError(f"{path} holds deliveries of {told}, not of {source}: `salwa import {told} {path}`; nothing was landed")


def source_told(body: bytes) -> str | None:
    """The source a body says it is of, by marks that no other has; None where it has none of them."""
    try:
        found = json.loads(body)
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    if found.get("object") == "whatsapp_business_account":
        return "whatsapp"
    if isinstance(found.get("event"), str) and "merchant" in found and "data" in found:
        return "salla"
    if found.get("event") in CHATWOOT_EVENTS:
        return "chatwoot"
    return None


def unwrapped(line: bytes) -> tuple[Delivery, bool]:
    """The line's delivery: what {"received_at":…, "kind":…, "body":…} wraps, else the line itself; and whether it is JSON."""
    try:
        text = line.decode("utf-8")
        members = top_level(text)
    except ValueError:  # cut short, or no JSON at all: the loader says so of the landed line
        return Delivery(body=line), False
    if members is None or "body" not in members or not set(members) <= {"received_at", "kind", "body", "account"}:
        return Delivery(body=line), True
    wrapper = {key: json.loads(raw) for key, raw in members.items() if key != "body"}
    delivery = Delivery(
        body=members["body"].encode("utf-8"),
        kind=str(wrapper.get("kind") or "webhook"),
        received_at=instant_text(wrapper.get("received_at")),
        account=None if wrapper.get("account") is None else str(wrapper["account"]),
    )
    return delivery, True


def top_level(text: str) -> dict[str, str] | None:
    """The members of a JSON object, each value as its raw text; None where the text is no object.

    Raises:
        ValueError: the text is no JSON.
    """
    position = skip(text, 0)
    if text[position : position + 1] != "{":
        json.loads(text)
        return None
    members: dict[str, str] = {}
    position = skip(text, position + 1)
    while text[position : position + 1] != "}":
        key, position = DECODER.raw_decode(text, position)
        position = skip(text, position)
        if text[position : position + 1] != ":":
            raise ValueError("no colon")
        start = skip(text, position + 1)
        _, position = DECODER.raw_decode(text, start)
        members[key] = text[start:position]
        position = skip(text, position)
        if text[position : position + 1] == ",":
            position = skip(text, position + 1)
        elif text[position : position + 1] != "}":
            raise ValueError("no comma")
    if skip(text, position + 1) != len(text):
        raise ValueError("text after the object")
    return members


def skip(text: str, position: int) -> int:
    while position < len(text) and text[position] in WHITESPACE:
        position += 1
    return position


def instant_text(value: Any) -> str | None:
    """The wrapper's received_at as ISO text; None where it is no instant (the event's own time is what counts)."""
    if not isinstance(value, str):
        return None
    try:
        return datetime.fromisoformat(value).isoformat()
    except ValueError:
        return None


def import_archives(
    landing: Path,
    workspace: str,
    source: str,
    paths: list[Path],
    account: str | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    clean: Callable[[Delivery], Delivery] | None = None,
) -> Imported:
    """Land archived deliveries of a source.

    Args:
        landing: the landing zone's root.
        clean: takes out of a delivery what may not land.
        progress: told (files done, files in all) after each file.

    Raises:
        SalwaError: nothing was landed, and why.
    """
    files = archive_files(paths)
    totals = Imported(0, 0, 0, 0, 0)
    writers: list[LandingWriter] = []
    try:
        for done, path in enumerate(files, 1):
            name = f"import-{content_hash(path)[:20]}"
            if already_landed(landing, workspace, source, name) or any(w.name == name for w in writers):
                totals = replace(totals, known_files=totals.known_files + 1)
            else:
                require_source(source, archived_deliveries(path), path)
                writer = LandingWriter(landing, workspace, source, name, clean=clean)
                writers.append(writer)
                totals = added(totals, land_archive(writer, path, account))
            progress(done, len(files))
        if totals.lines and totals.lines == totals.unreadable:
            raise SalwaError(f"no line of {files[0]} is JSON: is it an archive of {source} deliveries? Nothing was landed")
        for writer in writers:
            writer.publish()
    except BaseException as error:
        for writer in writers:
            writer.discard()
        raise readable(error) from (None if isinstance(error, OSError) else error)
    return totals


def land_archive(writer: LandingWriter, path: Path, account: str | None) -> Imported:
    unreadable = left_out = 0
    try:
        for delivery, is_json in archived_deliveries(path):
            if delivery.kind in UNLANDED_KINDS:
                left_out += 1
                continue
            cleaned = replace(delivery, body=redact(delivery.body), account=delivery.account or account)
            unreadable += not is_json
            writer.append(cleaned)
        writer.finish()
    except EOFError:
        raise SalwaError(f"{path} is cut short; nothing was landed") from None
    return Imported(files=1, lines=writer.lines, unreadable=unreadable, known_files=0, left_out=left_out)


def added(one: Imported, other: Imported) -> Imported:
    return Imported(*(a + b for a, b in zip(vars(one).values(), vars(other).values(), strict=True)))


def readable(error: BaseException) -> BaseException:
    """The error as a person should read it."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return SalwaError("the disk is full; nothing was landed. Free some space and import again")
    if isinstance(error, OSError) and not isinstance(error, SalwaError):
        return SalwaError(f"{error.filename or 'the landing zone'}: {error.strerror}; nothing was landed")
    return error
