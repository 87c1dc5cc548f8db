"""The receiver in a process of its own, and ways to talk to it, polite and not."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingestion.landing import landed_files, read_lines

ROOT = Path(__file__).parents[2]
SECRETS = {
    "whatsapp_app_secret": "whatsapp-secret-0123",
    "whatsapp_verify_token": "verify-token-0123",
    "chatwoot_webhook_secret": "chatwoot-secret-0123",
    "chatwoot_webhook_path_token": "path-token-0123",
    "salla_webhook_secret": "salla-secret-0123",
}
CHILD = """
import json, sys
from ingestion.receiver.app import Limits
from ingestion.receiver.server import serve
from ingestion.settings import Settings
given = json.loads(sys.argv[1])
exec(given["first"])
serve(Settings(_env_file=None, **given["settings"]), port=given["port"], workers=given["workers"], limits=Limits(**given["limits"]))
"""
POST_LINE = "POST /webhooks/whatsapp HTTP/1.1\r\nhost: x\r\n"


@dataclass
class Receiver:
    """A running receiver."""

    process: subprocess.Popen[bytes]
    port: int
    data: Path
    errors: Path

    @property
    def landing(self) -> Path:
        return self.data / "landing"

    def said(self) -> str:
        return self.errors.read_text()

    def stop(self) -> int:
        """Drain it; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(40)

    def kill(self) -> None:
        """SIGKILL to it and its workers."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)


def started(
    data: Path,
    *,
    port: int = 0,
    workers: int = 1,
    limits: dict[str, Any] | None = None,
    settings: dict[str, Any] | None = None,
    first: str = "",
) -> Receiver:
    """Start a receiver and wait until it listens. first: code that runs before it serves."""
    data.mkdir(parents=True, exist_ok=True)
    errors = data.parent / f"{data.name}.stderr"
    given = {
        "settings": {"data": str(data), **SECRETS, **(settings or {})},
        "port": port,
        "workers": workers,
        "limits": limits or {},
        "first": first,
    }
    before = errors.stat().st_size if errors.exists() else 0
    with errors.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", CHILD, json.dumps(given)], cwd=ROOT, stderr=out, start_new_session=True
        )
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if found := re.search(r"listening on http://[^ ]*:(\d+)", errors.read_bytes()[before:].decode()):
            return Receiver(process, int(found[1]), data, errors)
        assert process.poll() is None, errors.read_text()
        time.sleep(0.02)
    raise AssertionError("the receiver did not start")


def hex_of(secret: str, message: bytes) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def proof(source: str, body: bytes, at: float | None = None) -> dict[str, str]:
    """The headers that prove a body."""
    if source == "whatsapp":
        return {"X-Hub-Signature-256": f"sha256={hex_of(SECRETS['whatsapp_app_secret'], body)}"}
    if source == "salla":
        return {
            "X-Salla-Security-Strategy": "Signature",
            "X-Salla-Signature": hex_of(SECRETS["salla_webhook_secret"], body),
        }
    stamp = str(int(time.time() if at is None else at))
    signature = hex_of(SECRETS["chatwoot_webhook_secret"], f"{stamp}.".encode() + body)
    return {"X-Chatwoot-Timestamp": stamp, "X-Chatwoot-Signature": f"sha256={signature}"}


def ask(
    port: int,
    path: str,
    body: bytes | Iterable[bytes] | None = None,
    headers: dict[str, str] | None = None,
    method: str = "POST",
    chunked: bool = False,
) -> tuple[int, bytes]:
    """One request on a connection of its own: status, body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(
            method, path, body, {"Content-Type": "application/json", **(headers or {})}, encode_chunked=chunked
        )
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def post(port: int, source: str, body: bytes) -> int:
    """A proved delivery's status."""
    return ask(port, f"/webhooks/{source}", body, proof(source, body))[0]


def raw(port: int, *pieces: bytes, pause: float = 0.0, seconds: float = 20.0) -> bytes:
    """Send bytes as they are, piece by piece; everything that comes back until the other side closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        for piece in pieces:
            try:
                connection.sendall(piece)
            except OSError:
                break  # it had enough
            time.sleep(pause)
        received = b""
        try:
            while data := connection.recv(65536):
                received += data
        except OSError:
            pass
    return received


def status_of(answer: bytes) -> int:
    """The status of a raw answer; 0 where there is none."""
    found = re.match(rb"HTTP/1\.1 (\d{3})", answer)
    return int(found[1]) if found else 0


def landed_lines(landing: Path, source: str) -> list[dict[str, Any]]:
    return [json.loads(line) for path in landed_files(landing, source) for line in read_lines(path)]


def open_files(landing: Path) -> list[Path]:
    return list(landing.glob("*/*/*/.receive-*"))


def peak_memory(pid: int) -> int:
    """The process's most memory so far, in bytes."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) * 1024
