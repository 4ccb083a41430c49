"""Dynamic batching: requests that wait while a batch runs form the next one. One thread generates."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from feedbackloop.jobs.generation import Answer, Generator

log = logging.getLogger(__name__)
MAX_BATCH = 16
MAX_WAITING = 256


class BusyError(Exception):
    """Too many requests wait already."""


@dataclass
class Ticket:
    """An answer on its way. `notify` is called in the worker's thread: after each token of a
    streamed answer, and once when the answer is complete or `failed`."""

    answer: Answer
    notify: Callable[[], None]
    streamed: bool = False
    failed: bool = False
    cancelled: bool = False
    _told: bool = field(default=False, repr=False)

    @property
    def done(self) -> bool:
        return self.failed or self.answer.finish is not None

    def tell(self) -> None:
        """Notify when there is something new to know."""
        if not self._told and (self.streamed or self.done):
            self._told = self.done
            self.notify()


class Batcher:
    """The worker; `submit` may be called from any thread."""

    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        self._waiting: queue.Queue[Ticket | None] = queue.Queue(MAX_WAITING)
        self._thread = threading.Thread(target=self._work, name="generate", daemon=True)
        self._thread.start()

    def submit(self, ticket: Ticket) -> None:
        try:
            self._waiting.put_nowait(ticket)
        except queue.Full:
            raise BusyError from None

    def stop(self) -> None:
        """Finish what waits, then end the thread."""
        self._waiting.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (first := self._waiting.get()) is not None:
            batch = [ticket for ticket in self._gather(first) if not ticket.cancelled]
            if batch:
                self._run(batch)

    def _gather(self, first: Ticket) -> list[Ticket]:
        batch = [first]
        while len(batch) < MAX_BATCH:
            try:
                ticket = self._waiting.get_nowait()
            except queue.Empty:
                break
            if ticket is None:
                self._waiting.put(None)
                break
            batch.append(ticket)
        return batch

    def _run(self, batch: Sequence[Ticket]) -> None:
        try:
            for _ in self._generator.run([ticket.answer for ticket in batch]):
                for ticket in batch:
                    ticket.tell()
        except Exception as error:
            # The message might quote a prompt.
            log.error("generation failed: %s", type(error).__name__)
            for ticket in batch:
                ticket.failed = ticket.answer.finish is None
                ticket.tell()
