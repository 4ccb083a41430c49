"""How sessions behave towards an arm: as they were recorded, with the effect that is assumed for the canary.

Where the log knows both arms, a session that is assigned to the other arm than it was recorded with behaves as a
random session that was recorded with that arm.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from msgspec import structs

from feedbackloop.api.collection import Signal, SignalKind
from feedbackloop.api.gateway import Arm
from feedbackloop.api.rollout import Outcome, OutcomeEvent
from feedbackloop.cli.simulation.log import Entry

_ASKED = (OutcomeEvent.THUMBS_DOWN, OutcomeEvent.ANSWERED_NO)
_AFTER_MS = 1000


@dataclass
class Session:
    name: str
    entries: list[Entry] = field(default_factory=list)

    @property
    def arm(self) -> Arm:
        """The arm that it was recorded with."""
        return Arm(self.entries[0].line.arm or Arm.STABLE)


@dataclass(frozen=True)
class Effect:
    """On one outcome: sessions of the canary have its event `ratio` times as often as the base rate."""

    outcome: Outcome
    kind: SignalKind
    base: float
    """The share of sessions with the event, of those that could have it."""
    ratio: float

    @property
    def turns_bad(self) -> float:
        """The probability that what was not the event becomes it."""
        return min(1.0, max(0.0, (self.ratio - 1) * self.base / (1 - self.base))) if self.base < 1 else 0.0

    @property
    def turns_good(self) -> float:
        return max(0.0, 1 - self.ratio)


class Crowd:
    """The log's sessions, handed out event by event in the order of time."""

    def __init__(self, entries: Sequence[Entry], outcomes: Sequence[Outcome], signals: Sequence[Signal], **how: float):
        self.sessions = _sessions(entries)
        self._random = random.Random(round(how.get("seed", 0)))
        kinds = {s.name: s.kind for s in signals}
        known = [o for o in outcomes if o.signal in kinds]
        self.effects = tuple(
            Effect(o, kinds[o.signal], _base(self.sessions, o, kinds[o.signal]), how.get("effect", 1.0)) for o in known
        )
        self._pools = {arm: [s for s in self.sessions if s.arm is arm] for arm in Arm}

    @property
    def both(self) -> bool:
        """The log knows both arms."""
        return all(self._pools.values())

    def behaviour(self, session: Session, arm: Arm) -> list[Entry]:
        """What the session does when this arm serves it: its first entry is at the session's own time."""
        source = session
        if self.both and session.arm is not arm:
            source = self._random.choice(self._pools[arm])
        entries = _moved(source.entries, session)
        if arm is Arm.STABLE or self.both:
            return entries
        for effect in self.effects:
            if effect.ratio != 1:
                entries = self._changed(entries, effect)
        return entries

    def _changed(self, entries: list[Entry], effect: Effect) -> list[Entry]:
        if effect.outcome.mean is not None:
            return [_times(e, effect) for e in entries]
        event = effect.outcome.event or OutcomeEvent.THUMBS_DOWN
        bad, good = self._random.random() < effect.turns_bad, self._random.random() < effect.turns_good
        if event in _ASKED:
            return [_turned(e, effect, bad, good) for e in entries]
        had = any(e.line.signal == effect.outcome.signal for e in entries)
        if had:
            return [e for e in entries if not good or e.line.signal != effect.outcome.signal]
        return sorted([*entries, *_added(entries[0], effect)], key=lambda e: e.at) if bad else entries


def _sessions(entries: Sequence[Entry]) -> list[Session]:
    """In the order of their first answer; what comes before any answer is about nothing."""
    found: dict[str, Session] = {}
    for entry in entries:
        name = entry.line.session
        if name in found:
            found[name].entries.append(entry)
        elif not entry.line.signal:
            found[name] = Session(name, [entry])
    return list(found.values())


def _base(sessions: Sequence[Session], outcome: Outcome, kind: SignalKind) -> float:
    """The event's share among stable's sessions: of the rated ones, or of all where nobody is asked."""
    event = outcome.event or OutcomeEvent.THUMBS_DOWN
    last = [_last(s, outcome.signal) for s in sessions if s.arm is Arm.STABLE]
    if event not in _ASKED:
        return sum(e is not None for e in last) / max(1, len(last))
    rated = [e for e in last if e is not None]
    return sum(_is_bad(e, kind) for e in rated) / max(1, len(rated))


def _last(session: Session, signal: str) -> Entry | None:
    return next((e for e in reversed(session.entries) if e.line.signal == signal), None)


def _is_bad(entry: Entry, kind: SignalKind) -> bool:
    return entry.line.value == "no" if kind is SignalKind.QUESTION else entry.line.value is False


def _turned(entry: Entry, effect: Effect, bad: bool, good: bool) -> Entry:
    if entry.line.signal != effect.outcome.signal:
        return entry
    down, up = ("no", "yes") if effect.kind is SignalKind.QUESTION else (False, True)
    was_bad = _is_bad(entry, effect.kind)
    if (was_bad and not good) or (not was_bad and not bad):
        return entry
    return Entry(entry.at, structs.replace(entry.line, value=up if was_bad else down))


def _times(entry: Entry, effect: Effect) -> Entry:
    value = entry.line.value
    if entry.line.signal != effect.outcome.signal or isinstance(value, bool) or not isinstance(value, int | float):
        return entry
    return Entry(entry.at, structs.replace(entry.line, value=value * effect.ratio))


def _added(first: Entry, effect: Effect) -> list[Entry]:
    value = 1.0 if effect.kind is SignalKind.EDIT else None
    line = structs.replace(first.line, signal=effect.outcome.signal, value=value)
    return [Entry(first.at + _AFTER_MS, line)]


def _moved(entries: Sequence[Entry], session: Session) -> list[Entry]:
    """The same behaviour, begun when this session began."""
    by = session.entries[0].at - entries[0].at
    if by == 0 and entries is session.entries:
        return list(entries)
    return [Entry(e.at + by, structs.replace(e.line, session=session.name)) for e in entries]


def merged(arrivals: Iterator[Session], due: list[tuple[int, int, Entry]]) -> Iterator[Session | Entry]:
    """Sessions as they arrive, and what was put into `due` meanwhile, in the order of time."""
    upcoming = next(arrivals, None)
    while upcoming is not None or due:
        if upcoming is not None and (not due or upcoming.entries[0].at <= due[0][0]):
            yield upcoming
            upcoming = next(arrivals, None)
        else:
            yield heapq.heappop(due)[2]
