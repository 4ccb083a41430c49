"""The queue of keys: each at most once, never two reconciles of one key at a time, later looks kept in order.

Single consumer, single event loop: every method but `get` is synchronous, so no locks are needed.
"""

from __future__ import annotations

import asyncio
import heapq
from datetime import datetime
from typing import Any

from feedbackloop.engine.clock import Clock
from feedbackloop.engine.keys import Key


class KeyedQueue:
    """Ready keys in order of arrival, and keys that become ready at a time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ready: dict[Key, datetime] = {}
        self._active: dict[Key, datetime] = {}
        self._again: set[Key] = set()
        self._later: dict[Key, datetime] = {}
        self._heap: list[tuple[datetime, Key]] = []
        self._wake = asyncio.Event()
        self.quiet = asyncio.Event()
        """Set while nothing is ready or active."""
        self.quiet.set()

    def add(self, key: Key) -> None:
        """Look at the key as soon as possible; once more if it is being looked at right now."""
        if key in self._active:
            self._again.add(key)
            return
        self._later.pop(key, None)
        self._ready.setdefault(key, self._clock.now())
        self._notify()

    def add_after(self, key: Key, when: datetime) -> None:
        """Look at the key at `when`; the earliest of several times is kept, and a look before it replaces it."""
        known = self._later.get(key)
        if key in self._ready or (known is not None and known <= when):
            return
        self._later[key] = when
        heapq.heappush(self._heap, (when, key))
        self._notify()

    def forget(self, key: Key) -> None:
        """Drop the planned look, if there is one."""
        self._later.pop(key, None)

    async def get(self) -> Key:
        """The next key; it is active until `done`."""
        while True:
            self._promote()
            if self._ready:
                return self._activate(next(iter(self._ready)))
            await self._wait()

    def done(self, key: Key) -> None:
        """The look has ended."""
        del self._active[key]
        if key in self._again:
            self._again.discard(key)
            self.add(key)
        self._notify()

    def next_due(self) -> datetime | None:
        """When the next planned look is due."""
        while self._heap and self._later.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)  # superseded: looked at since, or planned for an earlier time
        return self._heap[0][0] if self._heap else None

    @property
    def depth(self) -> int:
        return len(self._ready)

    @property
    def oldest_ready(self) -> datetime | None:
        """Since when the oldest ready key waits."""
        return next(iter(self._ready.values()), None)

    @property
    def oldest_active(self) -> datetime | None:
        """Since when the longest look runs."""
        return next(iter(self._active.values()), None)

    def _activate(self, key: Key) -> Key:
        del self._ready[key]
        self._active[key] = self._clock.now()
        return key

    def _promote(self) -> None:
        now = self._clock.now()
        while (due := self.next_due()) is not None and due <= now:
            self.add(heapq.heappop(self._heap)[1])

    def _notify(self) -> None:
        self._wake.set()
        if self._ready or self._active:
            self.quiet.clear()
        else:
            self.quiet.set()

    async def _sleep(self, until: datetime) -> None:
        await self._clock.sleep_until(until)

    async def _wait(self) -> None:
        self._wake.clear()
        waits: list[asyncio.Task[Any]] = [asyncio.create_task(self._wake.wait())]
        if (due := self.next_due()) is not None:
            waits.append(asyncio.create_task(self._sleep(due)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
