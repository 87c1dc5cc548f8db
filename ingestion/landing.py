"""The landing zone: append-only NDJSON files that everything after them is built from.

landing/<workspace>/<source>/<day>/<name>-<part>.ndjson.gz, a line per delivery:
{"received_at": ISO or null, "kind": "webhook" or the call it answered, "account": str or null,
 "sha256": of the raw bytes, "body": the raw text} and, where the text cannot stand for itself,
"reject": why. Line numbers start at 1. A closed file never changes; half a file is never seen, because a file
gets its name only when it is whole and on disk.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from ingestion.errors import SalwaError

FILE_BYTES = 64 * 1024 * 1024  # of text, so that a reader's memory is bounded whatever the compression
LINE_BYTES = 32 * 1024 * 1024
SUFFIX = ".ndjson.gz"


@dataclass(frozen=True)
class Delivery:
    """One thing that arrived, as it arrived."""

    body: bytes
    kind: str = "webhook"
    received_at: str | None = None  # ISO 8601, by whoever received it first
    account: str | None = None
    reject: str | None = None  # why the body cannot be read, where that is known already


def landed_line(delivery: Delivery) -> bytes:
    """The delivery as one line of a landing file, without its line end."""
    envelope: dict[str, str | None] = {
        "received_at": delivery.received_at,
        "kind": delivery.kind,
        "account": delivery.account,
        "sha256": hashlib.sha256(delivery.body).hexdigest(),
    }
    reject = delivery.reject
    if len(delivery.body) > LINE_BYTES:
        reject = f"a body of {len(delivery.body)} bytes is over the limit of {LINE_BYTES}"
    elif reject is None:
        try:
            envelope["body"] = delivery.body.decode("utf-8")
        except UnicodeDecodeError as error:
            reject = f"not UTF-8: byte {error.start} is {delivery.body[error.start]:#04x}"
    if reject is not None:
        envelope["reject"] = reject
        envelope["body_base64"] = base64.b64encode(delivery.body[:LINE_BYTES]).decode("ascii")
    return json.dumps(envelope, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


class LandingWriter:
    """Writes deliveries into new landing files that appear together when the block ends well, or not at all.

    >>> with LandingWriter(root, "default", "whatsapp", "import-1a2b") as writer:
    ...     writer.append(delivery)
    """

    def __init__(self, root: Path, workspace: str, source: str, name: str, day: str | None = None) -> None:
        self.folder = root / workspace / source / (day or datetime.now(UTC).date().isoformat())
        self.name = name
        self.lines = 0
        self._parts: list[tuple[Path, Path]] = []
        self._raw: IO[bytes] | None = None
        self._out: gzip.GzipFile | None = None
        self._bytes = 0

    def __enter__(self) -> LandingWriter:
        return self

    def append(self, delivery: Delivery) -> None:
        """Write one delivery."""
        line = landed_line(delivery)
        if self._out is None or self._bytes + len(line) > FILE_BYTES:
            self._next_part()
        assert self._out is not None  # noqa: S101 - set by _next_part
        self._out.write(line + b"\n")
        self._bytes += len(line) + 1
        self.lines += 1

    def _next_part(self) -> None:
        self.finish()
        self.folder.mkdir(parents=True, exist_ok=True)
        final = self.folder / f"{self.name}-{len(self._parts) + 1:04d}{SUFFIX}"
        partial = final.with_name(f".{final.name}.{os.getpid()}.partial")
        self._parts.append((partial, final))
        self._raw = partial.open("wb")
        self._out = gzip.GzipFile(filename="", fileobj=self._raw, mode="wb", compresslevel=3, mtime=0)
        self._bytes = 0

    def finish(self) -> None:
        """Everything written is on disk, still without its name."""
        if self._raw is None or self._out is None:
            return
        self._out.close()
        self._raw.flush()
        os.fsync(self._raw.fileno())
        self._raw.close()
        self._raw = self._out = None

    def publish(self) -> None:
        """Give the finished files their names; only then they are landed."""
        for partial, final in self._parts:
            partial.rename(final)
        if self._parts:
            sync_folder(self.folder)

    def discard(self) -> None:
        """Leave nothing behind."""
        with suppress(OSError):
            if self._raw is not None:
                self._raw.close()
        for partial, _final in self._parts:
            partial.unlink(missing_ok=True)

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        if failed is not None:
            self.discard()
            return
        try:
            self.finish()
            self.publish()
        except OSError:
            self.discard()
            raise


def sync_folder(folder: Path) -> None:
    """Put the folder's new names on disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def landed_files(root: Path, source: str) -> list[Path]:
    """All whole landing files of a source, of all workspaces, in order of their names."""
    if not root.exists():
        return []
    found = [
        path
        for pattern in (f"*/{source}/*/*.ndjson", f"*/{source}/*/*{SUFFIX}")
        for path in root.glob(pattern)
        if not path.name.startswith(".")
    ]
    return sorted(found)


def landed_after(root: Path, since: float) -> Iterator[tuple[Path, float]]:
    """Whole landing files that got their names after an instant, and when; in no order.

    A folder changes whenever a file in it gets its name, so that old days are not looked through.

    Args:
        since: seconds since 1970.
    """
    if not root.exists():
        return
    for folder in root.glob("*/*/*/"):
        if folder.stat().st_mtime < since - 1:
            continue
        for path in folder.iterdir():
            if path.name.startswith(".") or not path.name.endswith((".ndjson", SUFFIX)):
                continue
            named_at = path.stat().st_ctime
            if named_at > since:
                yield path, named_at


def already_landed(root: Path, workspace: str, source: str, name: str) -> bool:
    """Whether files of that name are there, on whatever day they came."""
    return any((root / workspace / source).glob(f"*/{name}-*{SUFFIX}"))


def read_lines(path: Path) -> list[bytes]:
    """The lines of a landing file, without line ends.

    Raises:
        SalwaError: the file is damaged.
    """
    try:
        data = gzip.decompress(path.read_bytes()) if path.name.endswith(".gz") else path.read_bytes()
    except (OSError, EOFError) as error:
        raise SalwaError(f"{path} is damaged ({error}); restore it from a backup") from None
    lines = data.split(b"\n")
    return lines[:-1] if lines[-1] == b"" else lines


def safe_name(text: str) -> str:
    """The text as part of a file name."""
    return re.sub(r"[^a-zA-Z0-9_]+", "-", text).strip("-").lower()[:60] or "x"
