"""Answers that wait for object storage: what `durability: ObjectStore` adds to the log.

A submission is held from its commit on the volume until its segment is stored and verified. Its event ids stay
reserved as long, so that a repetition waits too. Who has waited too long is told that the storage is unavailable; the
record stays in the log and will be stored, and the next repetition of it waits anew.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from feedbackloop.gateway.law import events_of
from feedbackloop.gateway.ticket import Ticket
from feedbackloop.gateway.wal import LogUnavailable

WAIT_SECONDS = 10.0
REASON = "StorageUnavailable"


class UntilStored:
    """The held submissions, by segment. For the event loop's thread."""

    def __init__(self, settle: Callable[[Ticket], None], wait_seconds: float = WAIT_SECONDS) -> None:
        self._settle, self._wait = settle, wait_seconds
        self._held: dict[int, list[Ticket]] = {}
        self._deadlines: deque[tuple[float, Ticket]] = deque()
        self.failing = False
        """Somebody has waited in vain, and nothing was stored since."""
        self.events = 0
        """Clients' events that are held."""

    def hold(self, segment: int, ticket: Ticket) -> None:
        """The submission is durable on the volume, in this segment."""
        self._held.setdefault(segment, []).append(ticket)
        self.events += events_of(ticket)
        ticket.held = self.watch
        self.watch(ticket)

    def watch(self, ticket: Ticket) -> None:
        """Somebody waits for a held submission from now on."""
        self._deadlines.append((time.monotonic() + self._wait, ticket))

    def stored(self, segment: int) -> None:
        """Everything up to this segment is in object storage."""
        self.failing = False
        for number in [number for number in self._held if number <= segment]:
            for ticket in self._held.pop(number):
                ticket.held = None
                self.events -= events_of(ticket)
                self._settle(ticket)

    def expire(self) -> None:
        """Tells those who have waited too long."""
        now = time.monotonic()
        while self._deadlines and self._deadlines[0][0] <= now:
            _, ticket = self._deadlines.popleft()
            if ticket.held is not None and ticket.awaited:
                self.failing = True
                ticket.give_up(LogUnavailable(REASON))

    def release(self) -> None:
        """Lets everything go: what is durable on the volume is enough again."""
        self.stored(max(self._held, default=0))
