"""The pod's memory of consents: what it last saw of a (subject, purpose), so that not every request adds an entry.

Bounded, and only a memory: what holds is decided from the ledger itself. What was forgotten, or lost with
a restart, is recorded once more, which changes nothing there.
"""

from __future__ import annotations

from feedbackloop.events.ledger.consents import Source, State
from feedbackloop.events.records import ConsentRecord
from feedbackloop.gateway.recent import RecentMap

REMEMBERED = 100_000
"""Subjects and purposes; 12 MB at most."""
AGAIN_SECONDS = 3600
"""A refusal that lies longer back is recorded again: another pod may have seen a consent since."""
_CODES = {State.GIVEN: 1, State.REFUSED: 2, State.WITHDRAWN: 3}
_WORDS = {code: state for state, code in _CODES.items()}
_STATE_BITS = 2


class Standings:
    """What this pod knows of consents."""

    def __init__(self, capacity: int = REMEMBERED) -> None:
        self._known = RecentMap(capacity)
        self.any_refusal = False
        """False while nobody has refused anything: then nothing needs to be looked up."""
        self.unsent = False
        """Somebody has refused since the log was last sealed for that: jobs should hear of it soon."""

    def apply(self, record: ConsentRecord) -> None:
        """Takes an entry of the log into account, by the rules of `events.ledger.consents`."""
        state = State(record.state)
        if state is State.GIVEN and record.source == Source.INTERACTION:
            known = self._look(record.subject, record.purpose)
            if known is not None and known[0] is State.WITHDRAWN:
                return
        if state is not State.GIVEN:
            self.any_refusal = self.unsent = True
        minutes = record.received_at // 60_000
        self._known.put(_key(record.subject, record.purpose), minutes << _STATE_BITS | _CODES[state])

    def state(self, subject: str, purpose: str) -> State | None:
        """What was last seen; None when nothing is remembered."""
        known = self._look(subject, purpose)
        return None if known is None else known[0]

    def refused(self, subject: str, purpose: str) -> bool:
        """Whether the last thing seen was a refusal or a withdrawal."""
        return self.any_refusal and self.state(subject, purpose) in (State.REFUSED, State.WITHDRAWN)

    def news(self, subject: str, purpose: str, state: State, now_ms: int, again_seconds: int = AGAIN_SECONDS) -> bool:
        """Whether an entry of this state would say something that is not known, or not known for sure any more."""
        known = self._look(subject, purpose)
        if known is None or known[0] is not state:
            return True
        return state is not State.GIVEN and now_ms - known[1] >= again_seconds * 1000

    def _look(self, subject: str, purpose: str) -> tuple[State, int] | None:
        """The state and about when it was seen (Unix milliseconds, to the minute)."""
        value = self._known.get(_key(subject, purpose))
        return None if value is None else (_WORDS[value & 3], (value >> _STATE_BITS) * 60_000)


def _key(subject: str, purpose: str) -> int:
    """64 bits of the pseudonym, which is a keyed hash already; a purpose moves it."""
    try:
        bits = int(subject[:16], 16)
    except ValueError:
        bits = 0
    return bits ^ (int.from_bytes(purpose.encode()[:7], "big") << 1)
