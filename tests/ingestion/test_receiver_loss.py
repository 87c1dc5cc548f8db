"""Nothing that was acknowledged is lost: kills, full disks, ends in the middle, several workers, readers beside it."""

from __future__ import annotations

import asyncio
import errno
import http.client
import json
import os
import random
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from receiver_process import POST_LINE, Receiver, ask, landed_lines, open_files, post, proof, started

from ingestion.landing import Delivery, landed_files, landed_line, read_lines
from ingestion.loading import batches, parse
from ingestion.receiver import files
from ingestion.receiver.log import Refusals
from ingestion.receiver.writer import NotLanded, Writer, file_sized
from ingestion.whatsapp import WHATSAPP


class Senders:
    """Threads that send bodies of their own, each until it is acknowledged."""

    def __init__(self, port: int, threads: int = 8) -> None:
        self.port = port
        self.acknowledged: list[str] = []
        self.tries: Counter[str] = Counter()
        self.others: list[int] = []  # any other answer than yes or later
        self.is_over = False
        self._threads = [threading.Thread(target=self._send, args=(number,)) for number in range(threads)]

    def __enter__(self) -> Senders:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over = True
        for thread in self._threads:
            thread.join()

    def _send(self, number: int) -> None:
        chance = random.Random(number)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        count = 0
        while not self.is_over:
            count += 1
            body = f'{{"from": {number}, "count": {count}, "text": "{"سلام " * chance.randrange(400)}"}}'
            while not self._acknowledged(connection, body) and not self.is_over:
                time.sleep(0.02)
        connection.close()

    def _acknowledged(self, connection: http.client.HTTPConnection, body: str) -> bool:
        self.tries[body] += 1
        data = body.encode()
        try:
            headers = {"Content-Type": "application/json", **proof("whatsapp", data)}
            connection.request("POST", "/webhooks/whatsapp", data, headers)
            response = connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            return False
        if response.status == 200:
            self.acknowledged.append(body)
            return True
        self.others += [response.status] if response.status != 503 else []
        return False


def assert_nothing_lost(landing: Path, senders: Senders) -> None:
    landed = Counter(line["body"] for line in landed_lines(landing, "whatsapp"))
    assert senders.acknowledged
    assert senders.others == []
    assert [body for body in senders.acknowledged if not landed[body]] == []
    assert [body for body in landed if body not in senders.tries] == []
    assert [body for body, times in landed.items() if times > senders.tries[body]] == []


@contextmanager
def reading(landing: Path) -> Iterator[list[int]]:
    """A loader that reads all the time; what it sees are whole lines, and a file it saw never changes."""
    seen: dict[Path, bytes] = {}
    problems: list[str] = []
    rounds = [0]
    is_over = threading.Event()

    def read() -> None:
        while not is_over.is_set():
            paths = landed_files(landing, "whatsapp")
            for path in paths:
                data = path.read_bytes()
                if seen.setdefault(path, data) != data or not data.endswith(b"\n"):
                    problems.append(f"{path.name} changed or is cut")
            for _names, lines in batches(paths[-3:], landing):
                tables = dict(parse(WHATSAPP, lines))
                if any("the landed line" in reason for reason in tables["rejects"]["reason"].to_pylist()):
                    problems.append("half a line")
            rounds[0] += 1
            time.sleep(0.05)

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield rounds
    finally:
        is_over.set()
        thread.join()
    assert problems == []


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


on_linux = pytest.mark.skipif(sys.platform != "linux", reason="workers are found in /proc")


def test_killed_ten_times_under_load(tmp_path: Path) -> None:
    """SIGKILL to one worker or two in the middle, ten times, while a loader reads."""
    data, port, chance = tmp_path / "data", free_port(), random.Random(1)
    fast = {"receive_rotate_seconds": 0.3}
    with Senders(port) as senders, reading(data / "landing") as rounds:
        for kill in range(10):
            receiver = started(data, port=port, workers=1 + kill % 2, settings=fast)
            before = len(senders.acknowledged)
            while len(senders.acknowledged) < before + 20:
                time.sleep(0.01)
            time.sleep(chance.random() * 0.3)
            receiver.kill()
        receiver = started(data, port=port, settings=fast)
        until = len(senders.acknowledged) + 50
        while len(senders.acknowledged) < until:
            time.sleep(0.01)
    assert receiver.stop() == 0
    assert rounds[0] > 0
    assert open_files(receiver.landing) == []
    assert_nothing_lost(receiver.landing, senders)


@on_linux
def test_one_worker_of_two_is_killed(tmp_path: Path) -> None:
    receiver = started(tmp_path / "data", workers=2)
    with Senders(receiver.port) as senders:
        for _ in range(2):
            wait_for(lambda: len(workers_of(receiver)) == 2)
            before = len(senders.acknowledged)
            wait_for(lambda before=before: len(senders.acknowledged) > before + 50)
            victim = workers_of(receiver)[0]
            os.kill(victim, signal.SIGKILL)
            wait_for(lambda victim=victim: victim not in workers_of(receiver))
    wait_for(lambda: len(workers_of(receiver)) == 2)
    assert receiver.stop() == 0
    assert open_files(receiver.landing) == []
    assert_nothing_lost(receiver.landing, senders)
    pids = {path.name.split("-")[1] for path in landed_files(receiver.landing, "whatsapp")}
    assert len(pids) >= 2
    heartbeat = json.loads((receiver.data / "state/receiver-heartbeat.json").read_text())
    assert pids <= heartbeat["workers"].keys()


@on_linux
def test_workers_end_with_their_supervisor(tmp_path: Path) -> None:
    receiver = started(tmp_path / "data", workers=2)
    wait_for(lambda: len(workers_of(receiver)) == 2)
    assert post(receiver.port, "whatsapp", b"{}") == 200
    os.kill(receiver.process.pid, signal.SIGKILL)
    receiver.process.wait(10)
    wait_for(lambda: not port_answers(receiver.port))
    wait_for(lambda: len(landed_lines(receiver.landing, "whatsapp")) == 1)
    assert open_files(receiver.landing) == []


def workers_of(receiver: Receiver) -> list[int]:
    pid = receiver.process.pid
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def wait_for(condition: object, seconds: float = 40) -> None:
    until = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < until
        time.sleep(0.02)


def port_answers(port: int) -> bool:
    try:
        ask(port, "/healthz", method="GET")
    except OSError:
        return False
    return True


@pytest.mark.parametrize("workers", [1, 2])
def test_what_has_begun_is_finished(tmp_path: Path, workers: int) -> None:
    """SIGTERM while a body is half sent: it is taken, acknowledged and landed, then the receiver ends."""
    receiver = started(tmp_path / "data", workers=workers)
    body = b'{"late": true}'
    signature = proof("whatsapp", body)["X-Hub-Signature-256"]
    head = POST_LINE + f"x-hub-signature-256: {signature}\r\ncontent-length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", receiver.port), timeout=20) as connection:
        connection.sendall(head.encode() + body[:5])
        time.sleep(0.3)
        receiver.process.send_signal(signal.SIGTERM)
        wait_for(lambda: not port_answers(receiver.port))
        assert receiver.process.poll() is None
        connection.sendall(body[5:])
        assert connection.recv(1000).startswith(b"HTTP/1.1 200")
    assert receiver.process.wait(40) == 0
    assert [line["body"].encode() for line in landed_lines(receiver.landing, "whatsapp")] == [body]
    assert open_files(receiver.landing) == []


def test_files_that_reach_their_limit(tmp_path: Path) -> None:
    """A write that ends in the middle of a line, again and again: refused, cut back, and on in the next file."""
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, {resource.RLIM_INFINITY}))"
    receiver = started(tmp_path / "data", first=limit)
    refused = 0
    bodies = [json.dumps({"n": n, "text": "x" * 3000}).encode() for n in range(60)]
    for body in bodies:
        while (status := post(receiver.port, "whatsapp", body)) != 200:
            assert status == 503
            refused += 1
            assert refused < 60
    assert refused
    assert receiver.stop() == 0
    assert [line["body"].encode() for line in landed_lines(receiver.landing, "whatsapp")] == bodies
    assert open_files(receiver.landing) == []
    assert "File too large" in receiver.said()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_full_disk(tmp_path: Path) -> None:
    """ENOSPC: 503 until there is room again, never a false 200."""
    data = tmp_path / "data"
    data.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(data)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        ballast = data / "ballast"
        ballast.write_bytes(bytes(400_000))
        receiver = started(data)
        bodies = [json.dumps({"n": n, "text": "x" * 50_000}).encode() for n in range(20)]
        statuses = [post(receiver.port, "whatsapp", body) for body in bodies]
        assert set(statuses) == {200, 503}
        assert ask(receiver.port, "/healthz", method="GET")[0] == 503
        acknowledged = [body for body, status in zip(bodies, statuses, strict=True) if status == 200]
        ballast.unlink()
        last = b'{"after": true}'
        assert post(receiver.port, "whatsapp", last) == 200
        assert receiver.stop() == 0
        assert open_files(receiver.landing) == []
        assert sorted(line["body"].encode() for line in landed_lines(receiver.landing, "whatsapp")) == sorted(
            [*acknowledged, last]
        )
    finally:
        subprocess.run(["umount", "-l", str(data)], check=True)


def line_of(number: int) -> bytes:
    return landed_line(Delivery(json.dumps({"n": number}).encode()))


def landed_by(tmp_path: Path, numbers: list[list[int]], rotate_bytes: int = 10**6) -> list[bool]:
    """A writer is given groups of lines, one after the other; which lines it acknowledged."""

    async def run() -> list[bool]:
        writer = Writer(tmp_path, 3600, Refusals(), rotate_bytes)
        writer.start(asyncio.get_running_loop())
        acknowledged: list[bool] = []
        for group in numbers:
            waiting = [writer.land(("default", "whatsapp"), line_of(number)) for number in group]
            answers = await asyncio.gather(*waiting, return_exceptions=True)
            assert all(answer is None or isinstance(answer, NotLanded) for answer in answers)
            acknowledged += [answer is None for answer in answers]
        await writer.stop()
        with pytest.raises(NotLanded):
            await writer.land(("default", "whatsapp"), line_of(0))
        return acknowledged

    return asyncio.run(run())


def landed_numbers(tmp_path: Path) -> list[int]:
    return [json.loads(line["body"])["n"] for line in landed_lines(tmp_path / "landing", "whatsapp")]


@pytest.mark.parametrize("call", ["fsync", "write", "open", "rename"])
def test_any_error_in_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    """An I/O error now and then, at any step: what is acknowledged is there once, and no line is half."""
    chance = random.Random(5)
    real = {"fsync": os.fsync, "write": os.write, "open": os.open, "rename": Path.rename}[call]

    def broken(*args: object, **kwargs: object) -> object:
        is_writer = threading.current_thread().name == "receiver-writer"
        if is_writer and chance.random() < 0.3:
            if call == "write":
                real(args[0], bytes(args[1])[: len(args[1]) // 2])  # type: ignore[arg-type, call-overload]
            raise OSError(errno.EIO, "Input/output error")
        return real(*args, **kwargs)  # type: ignore[operator]

    if call == "rename":
        monkeypatch.setattr(Path, "rename", broken)
    else:
        monkeypatch.setattr(files.os, call, broken)
    groups = [[n * 10 + k for k in range(10)] for n in range(40)]
    acknowledged = landed_by(tmp_path, groups, rotate_bytes=2000)
    monkeypatch.undo()
    files.close_orphans(tmp_path / "landing")
    assert open_files(tmp_path / "landing") == []
    numbers = [number for group in groups for number in group]
    landed = Counter(landed_numbers(tmp_path))
    assert [number for number, is_ok in zip(numbers, acknowledged, strict=True) if is_ok and landed[number] != 1] == []
    assert True in acknowledged
    if call != "rename":
        assert False in acknowledged


def test_files_end_at_their_size(tmp_path: Path) -> None:
    assert all(landed_by(tmp_path, [list(range(100))], rotate_bytes=1000))
    paths = landed_files(tmp_path / "landing", "whatsapp")
    assert len(paths) > 10
    assert max(path.stat().st_size for path in paths) <= 1000
    assert sorted(landed_numbers(tmp_path)) == list(range(100))


def test_pieces_fit_and_hold_everything() -> None:
    chance = random.Random(3)
    for _ in range(200):
        lines = [bytes([97 + n % 26]) * chance.randrange(1, 60) for n in range(chance.randrange(1, 30))]
        room, size = chance.randrange(0, 80), chance.randrange(61, 100)
        pieces = list(file_sized(lines, room, size))
        assert b"".join(pieces).splitlines() == lines
        assert all(len(piece) <= size for piece in pieces[1:])
        assert len(pieces[0]) <= max(room, len(lines[0]) + 1)


def orphan(folder: Path, content: bytes, name: str = "1") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f".receive-4711-{name}.ndjson.open"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "kept"),
    [
        (b"", None),
        (b'{"half', None),
        (b"one\n", b"one\n"),
        (b"one\ntwo", b"one\n"),
        (b"one\ntwo\n", b"one\ntwo\n"),
        (b"one\n" + b"x" * 3_000_000, b"one\n"),
        (b"y" * 1_048_575 + b"\n" + b"x" * 1_048_576, b"y" * 1_048_575 + b"\n"),
        (b"one\n" + bytes(5000), b"one\n"),
    ],
)
def test_orphans_are_cut_to_whole_lines(tmp_path: Path, content: bytes, kept: bytes | None) -> None:
    folder = tmp_path / "default/whatsapp/2026-11-01"
    orphan(folder, content)
    (closed,) = files.close_orphans(tmp_path)
    assert closed.cut_bytes == len(content) - len(kept or b"")
    found = landed_files(tmp_path, "whatsapp")
    assert [path.name for path in found] == ([] if kept is None else ["receive-4711-1.ndjson"])
    assert [path.read_bytes() for path in found] == ([] if kept is None else [kept])
    assert files.close_orphans(tmp_path) == []


def test_files_of_the_living_are_left_alone(tmp_path: Path) -> None:
    """Also when the pid in the name is nobody's: it is the lock that counts."""
    file = files.open_file(tmp_path, "default", "whatsapp")
    files.append(file, b"one\n")
    assert files.close_orphans(tmp_path) == []
    files.make_durable(file)
    files.append(file, b"half")
    files.give_up(file)
    (path,) = landed_files(tmp_path, "whatsapp")
    assert read_lines(path) == [b"one"]
    assert files.close_orphans(tmp_path) == []


def test_names_sort_by_time() -> None:
    first = files.ulid()
    time.sleep(0.002)
    second = files.ulid()
    assert first < second
    assert len(first) == len(second) == 26
