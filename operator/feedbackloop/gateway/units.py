"""Units, epochs and attribution windows (pure).

A unit is a session in an epoch and belongs to the arm of its first answered request. A session that
was seen before opens no other unit, whatever the epoch; one that another arm answered is dropped.
Each outcome counts the unit once, when its window closes, by what the unit's subject has said until then (`values`);
what was taken back counts no more, whichever of the two came first.
Time is that of the records, so that replaying the log gives the same counts.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from feedbackloop.events.records import FeedbackRecord, InteractionRecord, Serving
from feedbackloop.gateway.meta import Outcome
from feedbackloop.gateway.recent import RecentMap
from feedbackloop.gateway.unit import SUMS, Unit, said, summed

SESSIONS_REMEMBERED = 1_000_000
KEPT_COUNTS = 1_024
LARGEST = 2**63 - 1
"""Sums stop here rather than to break the checkpoint; a million sessions of an hour each come near."""

CountKey = tuple[str, int, str, str]

__all__ = ["SUMS", "CountKey", "Unit", "UnitBook", "session_key"]


def session_key(session: str) -> int:
    """64 bits of a session's pseudonym."""
    return int(session[:16], 16)


class UnitBook:
    """Open units and cumulative counts of closed ones."""

    def __init__(self) -> None:
        self.outcomes: tuple[Outcome, ...] = ()
        self.seen = RecentMap(SESSIONS_REMEMBERED)
        self.counts: dict[CountKey, list[int]] = {}
        """Units, rated, events, and of a mean the sums of `unit.summed`."""
        self._open: dict[str, Unit] = {}
        self._closings: list[tuple[int, int, str, str]] = []

    def __len__(self) -> int:
        return len(self._open)

    def answered(self, record: InteractionRecord) -> None:
        """An answered request of a session: opens its unit when the session is new."""
        serving = record.serving
        if serving is None or not serving.counted or not record.session:
            return
        if serving.uncounted:
            self.dropped(record.session, serving)
        elif self.seen.add(session_key(record.session)) and self.outcomes:
            self._add(self._unit(record, serving))

    def _unit(self, record: InteractionRecord, serving: Serving) -> Unit:
        return Unit(
            session=record.session,
            run_uid=serving.run_uid,
            epoch=serving.epoch,
            arm=serving.arm,
            subject=record.subject,
            started_at=record.received_at,
            pending=list(self.outcomes),
            votes={},
        )

    def dropped(self, session: str, serving: Serving) -> None:
        """Another arm answered: the session counts in neither."""
        self.seen.add(session_key(session))
        unit = self._open.get(session)
        if unit is not None and (unit.run_uid, unit.epoch) == (serving.run_uid, serving.epoch):
            del self._open[session]

    def voted(self, record: FeedbackRecord) -> None:
        """Something that the unit's own subject said or did in its epoch."""
        unit = self._open.get(record.session)
        if unit is None or unit.subject != record.subject:
            return
        if (unit.run_uid, unit.epoch) == (record.run_uid, record.epoch) and not record.by_header:
            said(unit, record)

    def advance(self, now_ms: int) -> None:
        """Closes every window that ends at or before `now_ms`."""
        while self._closings and self._closings[0][0] <= now_ms:
            _, started_at, session, name = heapq.heappop(self._closings)
            unit = self._open.get(session)
            if unit is not None and unit.started_at == started_at:
                self._close(unit, name)

    def _close(self, unit: Unit, name: str) -> None:
        outcome = next(outcome for outcome in unit.pending if outcome.name == name)
        unit.pending.remove(outcome)
        counts = self.counts.setdefault((unit.run_uid, unit.epoch, unit.arm, name), [0] * SUMS)
        for index, more in enumerate(summed(unit, outcome)):
            counts[index] = min(counts[index] + more, LARGEST)
        if not unit.pending:
            del self._open[unit.session]
        while len(self.counts) > KEPT_COUNTS:
            del self.counts[next(iter(self.counts))]

    def _add(self, unit: Unit) -> None:
        self._open[unit.session] = unit
        for outcome in unit.pending:
            closing = (unit.started_at + outcome.window_ms, unit.started_at, unit.session, outcome.name)
            heapq.heappush(self._closings, closing)

    def open_units(self) -> Iterator[Unit]:
        """Copies of the open units, for a checkpoint."""
        return (unit.copied() for unit in self._open.values())

    def restore(self, units: list[Unit]) -> None:
        for unit in units:
            self._add(unit)
