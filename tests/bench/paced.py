"""An open-loop HTTP load: requests at a fixed rate, whatever the server does, on loopback only.

Several streams can run side by side, each with connections and a result of its own. The time of an answer counts
from the moment at which its request was due, so a server that falls behind cannot hide it.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import uvloop

from tests.bench.load import Result, content_length

TICK_SECONDS = 0.001


@dataclass
class Stream:
    """Requests to be sent at a rate (per second) on so many connections."""

    requests: Sequence[bytes]
    rate: float
    connections: int
    background: bool = False
    """Not waited for: it ends with the others."""
    result: Result = field(default_factory=Result)
    waiting: deque[tuple[float, bytes]] = field(default_factory=deque)
    idle: list[_Connection] = field(default_factory=list)
    sent: int = 0

    @property
    def done(self) -> bool:
        return self.sent == len(self.requests) and sum(self.result.statuses.values()) >= self.sent

    def release(self, now: float, start: float) -> None:
        """Hands on every request that is due."""
        due = min(len(self.requests), int((now - start) * self.rate) + 1)
        for index in range(self.sent, due):
            self.waiting.append((now, self.requests[index]))
        self.sent = max(self.sent, due)
        while self.waiting and self.idle:
            self.idle.pop().send(*self.waiting.popleft())


class _Connection(asyncio.Protocol):
    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._received = b""
        self._due = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._stream.idle.append(self)

    def send(self, due: float, request: bytes) -> None:
        assert self._transport is not None
        self._due = due
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator or len(body) < content_length(head):
            return
        result, status = self._stream.result, head[9:12]
        result.latencies.append(time.perf_counter() - self._due)
        result.statuses[status] = result.statuses.get(status, 0) + 1
        self._received = b""
        if self._stream.waiting:
            self.send(*self._stream.waiting.popleft())
        else:
            self._stream.idle.append(self)


def run(port: int, streams: Sequence[Stream], *, patience: float = 30.0) -> None:
    """Sends every stream's requests at its rate; returns when all but the background's are answered.

    Fails when that takes `patience` seconds longer than sending does.
    """

    async def drive() -> None:
        loop = asyncio.get_running_loop()
        for stream in streams:
            for _ in range(stream.connections):
                await loop.create_connection(lambda stream=stream: _Connection(stream), "127.0.0.1", port)  # type: ignore[misc]
        start = time.perf_counter()
        end = start + max(len(stream.requests) / stream.rate for stream in streams) + patience
        while not all(stream.done or stream.background for stream in streams):
            now = time.perf_counter()
            assert now < end, f"not answered: {[(stream.sent, stream.result.statuses) for stream in streams]}"
            for stream in streams:
                stream.release(now, start)
            await asyncio.sleep(TICK_SECONDS)

    uvloop.run(drive())
