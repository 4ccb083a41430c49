"""What all requests may hold in memory together: few bodies, one inflation at a time, so many inflated bytes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from feedbackloop.gateway.wal import LogUnavailable

MOST_REQUESTS = 8
MOST_BYTES = 20 << 20
"""Of inflated bodies whose records are being taken in; one that is larger than what is left waits."""


class Room:
    """For the event loop's thread."""

    def __init__(self, most_requests: int = MOST_REQUESTS, most_bytes: int = MOST_BYTES) -> None:
        self._most_requests, self._most_bytes = most_requests, most_bytes
        self._requests = self._bytes = 0
        self._freed = asyncio.Condition()
        self.inflating = asyncio.Lock()

    @asynccontextmanager
    async def request(self) -> AsyncIterator[None]:
        """Place for one body. Raises LogUnavailable at once when there is none: the exporter tries again."""
        if self._requests >= self._most_requests:
            raise LogUnavailable("Overloaded")
        self._requests += 1
        try:
            yield
        finally:
            self._requests -= 1

    @asynccontextmanager
    async def bytes(self, size: int) -> AsyncIterator[None]:
        """Place for so many bytes, as soon as there is. A body alone always finds it."""
        async with self._freed:
            await self._freed.wait_for(lambda: not self._bytes or self._bytes + size <= self._most_bytes)
            self._bytes += size
        try:
            yield
        finally:
            async with self._freed:
                self._bytes -= size
                self._freed.notify_all()
