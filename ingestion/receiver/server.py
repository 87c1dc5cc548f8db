"""Runs the receiver: one worker in this process, or several that share a listening socket."""

from __future__ import annotations

import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

from ingestion.errors import SalwaError
from ingestion.receiver.log import log_line
from ingestion.settings import Settings

SIGNALS = (signal.SIGTERM, signal.SIGINT)
BACKLOG = 2048
RESTART_SECONDS = 1.0  # a worker that dies at once is not started in a tight loop


def serve(
    settings: Settings,
    host: str = "127.0.0.1",
    port: int = 8080,
    workers: int = 1,
    limits: Any | None = None,
    more_routes: Sequence[Any] = (),
) -> None:
    """Receive until SIGTERM or SIGINT; what has begun by then is finished and landed.

    Args:
        port: 0 takes a free one; the line on stderr says which.
        workers: processes that share the port. Each writes files of its own.
        limits: ingestion.receiver.app.Limits, if not the usual ones.
        more_routes: Starlette routes of other pages on the same service.

    Raises:
        SalwaError: the port is taken, or the landing zone cannot be written.
    """
    from ingestion.receiver.app import Limits
    from ingestion.receiver.files import close_orphans

    settings.workspaces()  # said here, once, if they cannot be read
    try:
        settings.landing.mkdir(parents=True, exist_ok=True)
        for closed in close_orphans(settings.landing):
            log_line(f"closed a file of a receiver that died; cut {closed.cut_bytes} unacknowledged bytes")
    except OSError as error:
        raise SalwaError(f"{settings.landing} cannot be written: {error.strerror}") from None
    listener = listening_socket(host, port)
    shown = f"[{host}]" if ":" in host else host
    log_line(f"listening on http://{shown}:{listener.getsockname()[1]}, {workers} worker(s)")
    allow_many_files()
    limits = limits or Limits()
    if workers == 1:
        run_worker(settings, listener, limits, more_routes)
    else:
        supervise(lambda parent: run_worker(settings, listener, limits, more_routes, parent), workers, listener.close)


def listening_socket(host: str, port: int) -> socket.socket:
    """A bound, listening socket.

    Raises:
        SalwaError: the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        raise SalwaError(f"cannot listen on {host}:{port}: {getattr(error, 'strerror', None) or error}") from None
    listener.setblocking(False)
    return listener


def allow_many_files() -> None:
    """A connection takes a file descriptor; the usual 1024 would be the limit before ours is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4096 if hard == resource.RLIM_INFINITY else min(4096, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def run_worker(
    settings: Settings, listener: socket.socket, limits: Any, more_routes: Sequence[Any] = (), parent: int | None = None
) -> None:
    """Serve until a signal. parent: the supervisor's pid; without it the worker ends too."""
    import uvicorn

    from ingestion.receiver.app import make_app
    from ingestion.receiver.protocol import guarded_protocol

    class Server(uvicorn.Server):
        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            """As uvicorn's, but the end is a plain return, not the signal once more."""
            before = {number: signal.signal(number, self.handle_exit) for number in SIGNALS}
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
            try:
                yield
            finally:
                for number, handler in before.items():
                    signal.signal(number, handler)

    async def notice_orphanhood() -> None:
        if parent is not None and os.getppid() != parent:
            server.should_exit = True

    config = uvicorn.Config(
        make_app(settings, limits, more_routes),
        http=guarded_protocol(limits),
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=limits.connections,
        backlog=BACKLOG,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=int(limits.body_seconds) + 10,
        callback_notify=notice_orphanhood,
        timeout_notify=1,
    )
    server = Server(config)
    server.run(sockets=[listener])


def supervise(work: Callable[[int], None], workers: int, close: Callable[[], None]) -> None:
    """Fork the workers, start anew those that die, and end when told to, all of them drained.

    Args:
        work: what a worker does; told the supervisor's pid.
        close: ends listening in this process: while any process listens, new senders are let in and wait in vain.
    """
    children: set[int] = set()
    is_ending = False

    def end(number: int, frame: FrameType | None) -> None:
        nonlocal is_ending
        is_ending = True
        close()
        for pid in children:
            os.kill(pid, signal.SIGTERM)

    def begin() -> None:
        """Start a worker; a signal waits until its pid is noted."""
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        if not is_ending:
            children.add(forked(work))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)

    before = {number: signal.signal(number, end) for number in SIGNALS}
    try:
        for _ in range(workers):
            begin()
        while children:
            pid, status = os.wait()
            children.discard(pid)
            if not is_ending:
                log_line(f"a worker ended ({os.waitstatus_to_exitcode(status)}); starting another")
                time.sleep(RESTART_SECONDS)
                begin()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def forked(work: Callable[[int], None]) -> int:
    """The pid of a child that works. Called with SIGNALS blocked; the child unblocks them when it can drain."""
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        work(parent)
        code = 0
    except BaseException as error:
        log_line(f"worker: {type(error).__name__}: {error}")
    finally:
        sys.stderr.flush()
        os._exit(code)
