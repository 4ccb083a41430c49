"""Sending beside the app: a bounded queue and one thread. Nothing here raises into the app."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from feedbackloop.client.errors import FeedbackError
from feedbackloop.client.events import Draft
from feedbackloop.client.sender import MAX_EVENTS, Result


@dataclass
class Stats:
    """Counts of a background client; `dropped` are events that were lost, `rejected` ones that the loop refused."""

    queued: int = 0
    accepted: int = 0
    duplicate: int = 0
    rejected: int = 0
    dropped: int = 0
    last_error: str = ""
    """Why events were dropped last; never quotes them."""


class Background:
    """Takes drafts and sends them, in order, fifty at a time."""

    def __init__(self, send: Callable[[Sequence[Draft]], Result], *, most: int) -> None:
        self.stats = Stats()
        self._send, self._most = send, most
        self._waiting: deque[Draft] = deque()
        self._sending = 0
        self._changed = threading.Condition()
        self._closing = False
        self._thread: threading.Thread | None = None

    def put(self, drafts: Sequence[Draft]) -> None:
        """Queues events, or drops and counts them when the queue is full or closed."""
        with self._changed:
            if self._closing or len(self._waiting) + len(drafts) > self._most:
                self._drop(len(drafts), "closed" if self._closing else "the queue is full")
                return
            self._waiting.extend(drafts)
            self.stats.queued += len(drafts)
            if self._thread is None or not self._thread.is_alive():  # also after a fork
                self._thread = threading.Thread(target=self._run, name="feedbackloop", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def flush(self, timeout: float) -> bool:
        """Waits until nothing is left to send; whether that came to be in time."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting and not self._sending, timeout)

    def close(self, timeout: float) -> None:
        """Sends what is left for so long, then drops it."""
        end = time.monotonic() + timeout
        self.flush(timeout)
        with self._changed:
            self._closing = True
            self._drop(len(self._waiting), "closed")
            self._waiting.clear()
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(max(0.0, end - time.monotonic()))

    def _run(self) -> None:
        while batch := self._next():
            result, error = Result(), ""
            try:
                result = self._send(batch)
            except FeedbackError as failure:
                error = str(failure)
            except Exception as failure:
                error = type(failure).__name__
            with self._changed:
                self._count(batch, result, error)
                self._sending = 0
                self._changed.notify_all()

    def _next(self) -> list[Draft]:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            batch = [self._waiting.popleft() for _ in range(min(MAX_EVENTS, len(self._waiting)))]
            self._sending = len(batch)
            return batch

    def _count(self, batch: Sequence[Draft], result: Result, error: str) -> None:
        self.stats.accepted += result.accepted
        self.stats.duplicate += result.duplicate
        self.stats.rejected += len(result.rejected)
        if error:
            self._drop(len(batch) - result.accepted - result.duplicate - len(result.rejected), error)

    def _drop(self, count: int, why: str) -> None:
        if count:
            self.stats.dropped += count
            self.stats.last_error = why
