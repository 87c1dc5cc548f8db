"""How fast the receiver acknowledges, with fsync and, for comparison, without disk writes.

    python -m benchmarks.receiver --seconds 10 [--workers 1 2] [--connections 64]

The receiver runs in processes of its own; this process signs and sends. Every acknowledged body must be found in the
landing files, byte for byte: a loss ends the benchmark with an error.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import hmac
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

SECRET = "a-secret-for-the-benchmark"  # noqa: S105
PADDING = "حالة الطلب رقم " * 20  # a usual delivery has some 700 bytes


@dataclass
class Result:
    """What the sender saw."""

    latencies: list[float] = field(default_factory=list)  # seconds
    acknowledged: list[bytes] = field(default_factory=list)  # sha256 digests of the bodies
    refused: int = 0
    seconds: float = 0.0


def request(number: int) -> tuple[bytes, bytes]:
    """A signed delivery and its body's digest."""
    body = json.dumps({"object": "whatsapp_business_account", "n": number, "text": PADDING}, ensure_ascii=False).encode()
    head = (
        "POST /webhooks/whatsapp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        f"x-hub-signature-256: sha256={hmac.new(SECRET.encode(), body, 'sha256').hexdigest()}\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body, hashlib.sha256(body).digest()


class Sender(asyncio.Protocol):
    """Sends one delivery after the other on one connection."""

    numbers = iter(range(10**12))

    def __init__(self, result: Result, until: float, done: asyncio.Future[None]) -> None:
        self.result, self.until, self.done = result, until, done
        self.digest, self.sent_at, self.received = b"", 0.0, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.send()

    def send(self) -> None:
        if time.perf_counter() >= self.until:
            self.transport.close()
            return
        data, self.digest = request(next(self.numbers))
        self.sent_at = time.perf_counter()
        self.transport.write(data)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.received += data
        if not self.received.endswith(b"\r\n\r\nok\n"):
            if b"\r\n\r\n" in self.received and not self.received.startswith(b"HTTP/1.1 200"):
                self.result.refused += 1
                self.transport.close()
            return
        self.received = b""
        self.result.latencies.append(time.perf_counter() - self.sent_at)
        self.result.acknowledged.append(self.digest)
        self.send()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)


async def load(port: int, seconds: float, connections: int) -> Result:
    """Send for some seconds on some connections."""
    loop = asyncio.get_running_loop()
    result = Result()
    began = time.perf_counter()
    ends: list[asyncio.Future[None]] = []
    for _ in range(connections):
        done: asyncio.Future[None] = loop.create_future()
        ends.append(done)
        await loop.create_connection(lambda done=done: Sender(result, began + seconds, done), "127.0.0.1", port)
    await asyncio.gather(*ends)
    result.seconds = time.perf_counter() - began
    return result


def start(data: Path, workers: int, to_disk: bool) -> tuple[subprocess.Popen[str], int]:
    """The receiver in a process of its own, and its port."""
    mode = "--serve" if to_disk else "--serve-without-disk"
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.receiver", mode, str(data), "--workers", str(workers)],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "SALWA_DATA": str(data)},
    )
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(r"listening on http://[^ ]*:(\d+)", line):
            return process, int(found[1])
    raise SystemExit("the receiver did not start")


def serve_here(data: Path, workers: int, to_disk: bool) -> None:
    """Be the receiver. Without disk: the lines are counted and forgotten."""
    from ingestion.receiver import files
    from ingestion.receiver.server import serve
    from ingestion.settings import Settings

    if not to_disk:

        def forget(file: files.OpenFile, lines: bytes) -> None:
            file.written += len(lines)

        files.append = forget
        files.make_durable = lambda file: None
    settings = Settings(data=data, whatsapp_app_secret=SECRET, _env_file=None)  # type: ignore[call-arg, arg-type]
    serve(settings, port=0, workers=workers)


def landed_digests(data: Path) -> Counter[bytes]:
    """The digests of the landed bodies, computed anew."""
    found: Counter[bytes] = Counter()
    for path in (data / "landing").glob("*/*/*/receive-*.ndjson"):
        with path.open("rb") as lines:
            found.update(hashlib.sha256(json.loads(line)["body"].encode()).digest() for line in lines)
    return found


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


def measure(folder: Path, seconds: float, workers: int, connections: int, to_disk: bool) -> Result:
    """One run, printed and given back.

    Raises:
        SystemExit: an acknowledged body did not land.
    """
    import uvloop

    data = folder / f"{workers}-{to_disk}"
    process, port = start(data, workers, to_disk)
    try:
        result = uvloop.run(load(port, seconds, connections))
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    count = len(result.acknowledged)
    print(
        f"{workers} worker(s), {connections} connections, {'fsync       ' if to_disk else 'without disk'}: "
        f"{count / result.seconds:8,.0f} acknowledged/s   p50 {percentile(result.latencies, 0.5) * 1000:6.1f} ms   "
        f"p99 {percentile(result.latencies, 0.99) * 1000:6.1f} ms   refused {result.refused}",
        flush=True,
    )
    if to_disk:
        landed = landed_digests(data)
        lost = sum(1 for digest in result.acknowledged if not landed[digest])
        twice = sum(times - 1 for times in landed.values())
        print(f"    {count:,} acknowledged, {sum(landed.values()):,} landed, {lost} lost, {twice} twice")
        if lost or not count:
            raise SystemExit("LOSS: acknowledged bodies are missing from the landing files")
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--serve-without-disk", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve or given.serve_without_disk:
        serve_here(given.serve or given.serve_without_disk, given.workers[0], given.serve is not None)
        return
    with tempfile.TemporaryDirectory(prefix="salwa-bench-", dir=os.environ.get("SALWA_BENCH_DIR")) as folder:
        for workers in given.workers:
            for to_disk in (True, False):
                measure(Path(folder), given.seconds, workers, given.connections, to_disk)


if __name__ == "__main__":
    main()
