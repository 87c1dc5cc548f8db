"""uvicorn's HTTP protocol, with limits where it has none: the size, number and slowness of headers and trailers."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from ingestion.receiver.app import Limits


class TooLarge(Exception):
    """More header bytes than are taken."""


def guarded_protocol(limits: Limits) -> type[HttpToolsProtocol]:
    """The protocol class for these limits."""

    class GuardedProtocol(HttpToolsProtocol):
        """Everything that is neither body nor end of a message counts as header, so that nothing can grow unseen."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.quiet_bytes = 0  # raw bytes since the last sign of body or end
            self.field_bytes = 0
            self.field_count = 0
            self.is_too_large = False
            self.header_timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)  # type: ignore[arg-type]
            self.wait_for_headers()

        def connection_lost(self, exc: Exception | None) -> None:
            self.stop_waiting()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            self.quiet_bytes += len(data)
            super().data_received(data)
            if self.quiet_bytes > limits.header_bytes and not self.transport.is_closing():
                self.is_too_large = True
                self.send_400_response("too much header")

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self.field_bytes = self.field_count = 0
            self.wait_for_headers()

        def on_url(self, url: bytes) -> None:
            self.count_field(len(url), 0)
            super().on_url(url)

        def on_header(self, name: bytes, value: bytes) -> None:
            self.count_field(len(name) + len(value) + 4, 1)
            super().on_header(name, value)

        def on_headers_complete(self) -> None:
            self.stop_waiting()
            super().on_headers_complete()

        def on_body(self, body: bytes) -> None:
            self.quiet_bytes = 0
            super().on_body(body)

        def on_message_complete(self) -> None:
            self.quiet_bytes = 0
            super().on_message_complete()

        def send_400_response(self, msg: str) -> None:
            self.refuse(431 if self.is_too_large else 400)

        def count_field(self, size: int, count: int) -> None:
            self.field_bytes += size
            self.field_count += count
            if self.field_bytes > limits.header_bytes or self.field_count > limits.header_count:
                self.is_too_large = True
                raise TooLarge

        def wait_for_headers(self) -> None:
            self.stop_waiting()
            self.header_timer = self.loop.call_later(limits.header_seconds, self.refuse, 408)

        def stop_waiting(self) -> None:
            if self.header_timer is not None:
                self.header_timer.cancel()
                self.header_timer = None

        def refuse(self, status: int) -> None:
            if self.transport.is_closing():
                return
            if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
                self.transport.write(STATUS_LINE[status] + b"connection: close\r\ncontent-length: 0\r\n\r\n")
            self.transport.close()

    return GuardedProtocol
