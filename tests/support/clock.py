"""A clock that a test moves: whoever sleeps until a time is woken when the clock passes it."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


class FakeClock:
    """Implements `feedbackloop.engine.clock.Clock`."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._order = itertools.count()
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return self._now

    async def sleep_until(self, when: datetime) -> None:
        if when <= self._now:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (when, next(self._order), future))
        await future

    def advance(self, seconds: float) -> None:
        """Move on by some seconds."""
        self.advance_to(self._now + timedelta(seconds=seconds))

    def advance_to(self, when: datetime) -> None:
        """Move on to a time; never back."""
        self._now = max(self._now, when)
        while self._sleepers and self._sleepers[0][0] <= self._now:
            future = heapq.heappop(self._sleepers)[2]
            if not future.done():
                future.set_result(None)


class FakeTicks:
    """Implements `feedbackloop.engine.lease.Ticks`: sleeping moves the time, and lets everybody else run."""

    def __init__(self) -> None:
        self.time = 1000.0

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds
        await asyncio.sleep(0)


async def until(condition: Callable[[], bool], *, seconds: float = 5.0) -> None:
    """Let the event loop turn until the condition holds: for what no real time has to pass."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - conditions of code that knows no event
            await asyncio.sleep(0)
