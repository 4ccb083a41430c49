"""Facts that change rarely and that nobody waits for: asked in the background, remembered, asked again later."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Executor, Future
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

PERIOD_SECONDS = 300.0


class Glances(Generic[K, V]):
    """The last known fact by key."""

    def __init__(self, executor: Executor, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._executor, self._clock = executor, clock
        self._known: dict[K, V] = {}
        self._due: dict[K, float] = {}
        self._asking: set[K] = set()

    def of(self, key: K, question: Callable[[], V]) -> V | None:
        """What was last seen, None before the first answer. A question that fails leaves it as it was."""
        if key not in self._asking and self._clock() >= self._due.get(key, 0.0):
            self._asking.add(key)
            self._due[key] = self._clock() + PERIOD_SECONDS
            self._executor.submit(question).add_done_callback(functools.partial(self._answered, key))
        return self._known.get(key)

    def _answered(self, key: K, future: Future[V]) -> None:
        """In the executor's thread: each step is one operation of a dictionary or set."""
        if not future.cancelled() and future.exception() is None:
            self._known[key] = future.result()
        self._asking.discard(key)
