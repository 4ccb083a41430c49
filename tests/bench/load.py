"""A closed-loop HTTP load: so many connections, one request at a time on each, on loopback only."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import uvloop


@dataclass
class Result:
    """What a load did: answers by status, and each answer's time in seconds."""

    statuses: dict[bytes, int] = field(default_factory=dict)
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)

    @property
    def accepted(self) -> int:
        return self.statuses.get(b"202", 0)


class OneByOne(asyncio.Protocol):
    """A connection that sends the next request when the one before is answered, and closes after the last."""

    def __init__(self, requests: Iterator[bytes], done: asyncio.Future[None]) -> None:
        self._requests, self._done = requests, done
        self._sent_at = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are of another class
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._done.set_result(None)

    def _begin(self) -> None:
        """Before a request is sent."""

    def _next(self) -> None:
        request = next(self._requests, None)
        assert self._transport is not None
        if request is None:
            self._transport.close()
            return
        self._begin()
        self._sent_at = time.perf_counter()
        self._transport.write(request)


class _Connection(OneByOne):
    def __init__(self, requests: Iterator[bytes], result: Result, done: asyncio.Future[None]) -> None:
        super().__init__(requests, done)
        self._result = result
        self._received = b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator or len(body) < content_length(head):
            return
        self._result.latencies.append(time.perf_counter() - self._sent_at)
        status = head[9:12]
        self._result.statuses[status] = self._result.statuses.get(status, 0) + 1
        self._received = b""
        self._next()


def content_length(head: bytes) -> int:
    """The declared length of a message with this head; 0 without one."""
    at = head.lower().find(b"content-length:")
    return int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0


def run(port: int, requests: list[bytes], *, connections: int) -> Result:
    """Sends every request once."""
    result = Result()

    async def drive() -> None:
        loop = asyncio.get_running_loop()
        waiting = iter(requests)
        ends = [loop.create_future() for _ in range(connections)]
        start = time.perf_counter()
        for end in ends:
            await loop.create_connection(lambda end=end: _Connection(waiting, result, end), "127.0.0.1", port)  # type: ignore[misc]
        await asyncio.gather(*ends)
        result.seconds = time.perf_counter() - start

    uvloop.run(drive())
    return result


def cpu_seconds(pid: int) -> float:
    """CPU time of a process, all its threads, by the scheduler's nanoseconds."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9
