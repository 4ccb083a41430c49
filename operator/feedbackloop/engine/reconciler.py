"""The loop that calls controllers, and what a controller must look like. It knows no kind and does no I/O of its own.

It runs without Kopf and without a cluster: tests build an `Engine`, add keys and move the clock.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, Protocol

from feedbackloop.domain.errors import Transient, UserError
from feedbackloop.engine.backoff import Backoff
from feedbackloop.engine.clock import Clock, SystemClock
from feedbackloop.engine.failures import FailureLog, family
from feedbackloop.engine.keys import Key
from feedbackloop.engine.metrics import Metrics
from feedbackloop.engine.queue import KeyedQueue

RECONCILE_LIMIT = 120.0
"""Seconds after which a look is broken off: every adapter call is bounded, so this is a bug's net."""
STALLED_LOOK = 600.0
"""Seconds until a key with a `UserError` is looked at without an event: some fixes (a Role) send none."""
EVENT_FLOOR = 1.0
"""Seconds that an event waits for a failing key, so that a failure that writes cannot spin on its own events."""


class Reconciler(Protocol):
    """Level-triggered and idempotent: it is told that something may have changed, never what."""

    kind: str
    """The `Key.kind` that this reconciler serves."""

    async def reconcile(self, key: Key, now: datetime) -> float | None:
        """Bring the world closer to what is declared; the seconds until the next look, or None: only on events.

        Raises `UserError` (no retry until an event), `Transient` (retried with backoff, not before its
        `retry_after`); anything else is a bug: counted, logged with its traceback, retried with backoff.
        """
        ...


class Engine:
    """Keys in, reconciles out: `workers` at a time, one at a time for each key."""

    def __init__(
        self,
        reconcilers: Iterable[Reconciler],
        clock: Clock | None = None,
        workers: int = 8,
        *,
        jitter: Callable[[], float] = random.random,
        metrics: Metrics | None = None,
    ) -> None:
        self.metrics = metrics or Metrics()
        self._reconcilers = {r.kind: r for r in reconcilers}
        self._clock = clock or SystemClock()
        self._queue = KeyedQueue(self._clock)
        self._backoff = Backoff(jitter)
        self._failures = FailureLog()
        self._slots = asyncio.Semaphore(workers)
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self._crash: BaseException | None = None
        self.metrics.depth.set_function(lambda: self._queue.depth)
        self.metrics.age.set_function(lambda: self.oldest_ready_seconds)
        self.metrics.running.set_function(lambda: self.longest_running_seconds)

    def add(self, key: Key) -> None:
        """Something may have changed: look at the key soon. Keys of unknown kinds are ignored."""
        if key.kind not in self._reconcilers:
            return
        if self._backoff.failing(key):
            self._queue.add_after(key, self._in(EVENT_FLOOR))
        else:
            self._queue.add(key)

    def add_after(self, key: Key, seconds: float) -> None:
        """Look at the key in some seconds; an earlier planned look stays."""
        self._queue.add_after(key, self._in(seconds))

    async def run(self) -> None:
        """Reconcile until `stop`; raises what a reconciler raised beyond `Exception`."""
        pump = asyncio.create_task(self._pump(), name="engine pump")
        stopped = asyncio.create_task(self._stopping.wait(), name="engine stop")
        try:
            await asyncio.wait({pump, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _end([pump, stopped])
            if not self._stopping.is_set() or self._crash is not None:
                await _end(self._tasks)
        if self._tasks:
            await asyncio.wait(set(self._tasks))  # `stop` gives them their grace
        if self._crash is not None:
            raise self._crash

    async def stop(self, grace: float = 2.0) -> None:
        """Start nothing new, give running looks `grace` seconds, then cancel them."""
        self._stopping.set()
        if self._tasks and grace > 0:
            await asyncio.wait(set(self._tasks), timeout=grace)
        await _end(self._tasks)

    async def quiet(self) -> None:
        """Return when no key is ready or being looked at; raises what ended the engine, if something did."""
        await self._queue.quiet.wait()
        if self._tasks:
            await asyncio.wait(set(self._tasks))  # a look is over a moment before its task
        if self._crash is not None:
            raise self._crash

    def next_due(self) -> datetime | None:
        """When the next planned look is due."""
        return self._queue.next_due()

    @property
    def oldest_ready_seconds(self) -> float:
        return self._since(self._queue.oldest_ready)

    @property
    def longest_running_seconds(self) -> float:
        return self._since(self._queue.oldest_active)

    async def _pump(self) -> None:
        while True:
            await self._slots.acquire()
            key = await self._queue.get()
            task = asyncio.create_task(self._process(key), name=f"reconcile {key}")
            self._tasks.add(task)
            task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._slots.release()
        if not task.cancelled() and (error := task.exception()) is not None and self._crash is None:
            self._crash = error
            self._stopping.set()

    async def _process(self, key: Key) -> None:
        try:
            with self.metrics.seconds.labels(key.kind).time():
                async with asyncio.timeout(RECONCILE_LIMIT):
                    again = await self._reconcilers[key.kind].reconcile(key, self._clock.now())
        except Exception as error:
            self._failed(key, error)
        else:
            self._succeeded(key, again)
        finally:
            self._queue.done(key)

    def _succeeded(self, key: Key, again: float | None) -> None:
        self._backoff.reset(key)
        self._failures.recovered(key)
        self.metrics.reconciles.labels(key.kind, "success" if again is None else "requeue").inc()
        if again is not None:
            self._queue.add_after(key, self._in(again))

    def _failed(self, key: Key, error: Exception) -> None:
        self._failures.failed(key, error)
        self.metrics.reconciles.labels(key.kind, "error").inc()
        self.metrics.errors.labels(key.kind, family(error).value).inc()
        self._queue.add_after(key, self._in(self._delay(key, error)))

    def _delay(self, key: Key, error: Exception) -> float:
        if isinstance(error, UserError):
            self._backoff.reset(key)
            return STALLED_LOOK
        delay = self._backoff.next(key, bug=not isinstance(error, Transient))
        asked = error.retry_after if isinstance(error, Transient) else None
        return delay if asked is None else max(delay, asked)

    def _in(self, seconds: float) -> datetime:
        return self._clock.now() + timedelta(seconds=max(0.0, seconds))

    def _since(self, when: datetime | None) -> float:
        return 0.0 if when is None else max(0.0, (self._clock.now() - when).total_seconds())


async def _end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    ending = list(tasks)
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)
