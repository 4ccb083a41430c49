"""A closed-loop client that knows when the first byte of a body came: whole and chunked answers, on loopback only."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import httptools
import uvloop

from tests.bench.load import OneByOne


@dataclass
class Timed:
    """Seconds to the first byte of each answer's body and to its end, and answers by status."""

    first_byte: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)


class _Connection(OneByOne):
    def __init__(self, requests: Iterator[bytes], timed: Timed, done: asyncio.Future[None]) -> None:
        super().__init__(requests, done)
        self._timed, self._first = timed, 0.0
        self._parser = httptools.HttpResponseParser(self)

    def _begin(self) -> None:
        self._parser, self._first = httptools.HttpResponseParser(self), 0.0

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, _body: bytes) -> None:
        self._first = self._first or time.perf_counter()

    def on_message_complete(self) -> None:
        now = time.perf_counter()
        self._timed.first_byte.append((self._first or now) - self._sent_at)
        self._timed.whole.append(now - self._sent_at)
        status = self._parser.get_status_code()
        self._timed.statuses[status] = self._timed.statuses.get(status, 0) + 1
        # Not within the parser's own callback: it is replaced for the next answer.
        asyncio.get_running_loop().call_soon(self._next)


def run(port: int, requests: Sequence[bytes], *, connections: int) -> Timed:
    """Sends every request once, one at a time on each connection."""
    timed = Timed()

    async def drive() -> None:
        loop = asyncio.get_running_loop()
        waiting = iter(requests)
        ends = [loop.create_future() for _ in range(connections)]
        for end in ends:
            await loop.create_connection(lambda end=end: _Connection(waiting, timed, end), "127.0.0.1", port)  # type: ignore[misc]
        await asyncio.gather(*ends)

    uvloop.run(drive())
    return timed
