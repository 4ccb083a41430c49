"""The law of the log: every event that was answered as taken is in it once, and nothing else is.

Two counts are kept apart: what was told to clients, counted where answers are given, and what the log holds, counted by
the fold over its entries. They differ by nothing, except for what is on its way: events that wait for object storage,
and events whose sender was told that they could not be stored, which may be in the log all the same.
"""

from __future__ import annotations

from collections import deque

from feedbackloop.events.records import BadRow, FeedbackRecord, InteractionRecord
from feedbackloop.gateway.meta import Duplicates
from feedbackloop.gateway.ticket import Ticket

SAMPLES = 60
_EVENTS = frozenset((FeedbackRecord, InteractionRecord, BadRow))


def events_of(ticket: Ticket) -> int:
    """How many clients' events a submission is about."""
    return sum(
        1 if type(entry) in _EVENTS else entry.count if isinstance(entry, Duplicates) else 0 for entry in ticket.entries
    )


class Law:
    """The counts since the process started; `taken` then is what the log held before."""

    def __init__(self, taken: int) -> None:
        self._before = taken
        self.answered = 0
        """Events whose sender was told that they are stored, repeated or bad rows."""
        self.failed = 0
        """Events whose sender was told that they could not be stored."""
        self._samples: deque[int] = deque(maxlen=SAMPLES)

    def told(self, events: int, *, stored: bool) -> None:
        """An answer was given about so many events."""
        if stored:
            self.answered += events
        else:
            self.failed += events

    def difference(self, taken: int, waiting: int) -> int:
        """What the log holds minus what was answered: below 0 something answered is missing, above 0 something is there
        that nobody was told of. `waiting` events are in the log and wait for their answer."""
        raw = taken - self._before - self.answered
        return raw if raw < 0 else max(0, raw - self.failed - waiting)

    def sample(self, taken: int, waiting: int) -> None:
        """To be called regularly: an answer is given a moment after the log has taken its events."""
        self._samples.append(self.difference(taken, waiting))

    @property
    def lasting(self) -> int:
        """The smallest difference of the last samples: what is only on its way is gone in one of them."""
        return min(self._samples, key=abs, default=0)
