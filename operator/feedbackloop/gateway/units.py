"""Units, epochs and attribution windows (pure).

A unit is a session in an epoch and belongs to the arm of its first answered request. A session that
was seen before opens no other unit, whatever the epoch; one that the fallback answered is dropped.
Each outcome counts the unit once, when its window closes, with the last vote of the unit's subject; a vote that
was taken back leaves the unit unrated, whichever of the two came first.
Time is that of the records, so that replaying the log gives the same counts.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator

import msgspec
from msgspec import Struct

from feedbackloop.events.records import FeedbackRecord, InteractionRecord, Serving
from feedbackloop.gateway.meta import Outcome
from feedbackloop.gateway.recent import RecentMap

SESSIONS_REMEMBERED = 1_000_000
KEPT_COUNTS = 1_024
KEPT_REPLACED = 64

THUMBS_DOWN = "ThumbsDown"
CountKey = tuple[str, int, str, str]


class Unit(Struct, array_like=True):
    """An open unit; `pending` are the outcomes that have not counted it yet."""

    session: str
    run_uid: str
    epoch: int
    arm: str
    subject: str
    started_at: int
    pending: list[Outcome]
    votes: dict[str, bool]
    ids: dict[str, str] = {}
    """Event id of each vote."""
    replaced: list[str] = []
    """Event ids that later events supersede: whatever comes under them any more counts no more."""


def session_key(session: str) -> int:
    """64 bits of a session's pseudonym."""
    return int(session[:16], 16)


def _replace(unit: Unit, event_id: str) -> None:
    """A later event speaks in the place of this one."""
    if len(unit.replaced) < KEPT_REPLACED:
        unit.replaced.append(event_id)
    for signal in [signal for signal, voted in unit.ids.items() if voted == event_id]:
        del unit.votes[signal], unit.ids[signal]


class UnitBook:
    """Open units and cumulative counts of closed ones."""

    def __init__(self) -> None:
        self.outcomes: tuple[Outcome, ...] = ()
        self.seen = RecentMap(SESSIONS_REMEMBERED)
        self.counts: dict[CountKey, list[int]] = {}
        self._open: dict[str, Unit] = {}
        self._closings: list[tuple[int, int, str, str]] = []

    def __len__(self) -> int:
        return len(self._open)

    def answered(self, record: InteractionRecord) -> None:
        """An answered request of a session: opens its unit when the session is new."""
        serving = record.serving
        if serving is None or not serving.counted or not record.session:
            return
        if serving.fallback:
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
        """The fallback answered: the session counts in neither arm."""
        self.seen.add(session_key(session))
        unit = self._open.get(session)
        if unit is not None and (unit.run_uid, unit.epoch) == (serving.run_uid, serving.epoch):
            del self._open[session]

    def voted(self, record: FeedbackRecord) -> None:
        """A vote: the last one of the unit's subject stands."""
        unit = self._open.get(record.session)
        if unit is None or unit.subject != record.subject:
            return
        if (unit.run_uid, unit.epoch) != (record.run_uid, record.epoch):
            return
        if record.supersedes:
            _replace(unit, record.supersedes)
        if record.channel == "replay" and record.signal in unit.votes:
            return  # it is older than the vote that stands
        if isinstance(record.value, bool) and record.event_id not in unit.replaced:
            unit.votes[record.signal] = record.value
            unit.ids[record.signal] = record.event_id

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
        counts = self.counts.setdefault((unit.run_uid, unit.epoch, unit.arm, name), [0, 0, 0])
        vote = unit.votes.get(outcome.signal)
        counts[0] += 1
        counts[1] += vote is not None
        counts[2] += vote is (outcome.event != THUMBS_DOWN)
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
        return (
            msgspec.structs.replace(
                unit,
                pending=list(unit.pending),
                votes=dict(unit.votes),
                ids=dict(unit.ids),
                replaced=list(unit.replaced),
            )
            for unit in self._open.values()
        )

    def restore(self, units: list[Unit]) -> None:
        for unit in units:
            self._add(unit)
