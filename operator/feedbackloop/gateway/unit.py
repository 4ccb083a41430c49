"""One open unit: what its subject has said so far, and what that counts for each outcome (pure)."""

from __future__ import annotations

from statistics import fmean

from msgspec import Struct, structs

from feedbackloop.api.collection import SignalKind
from feedbackloop.api.rollout import OutcomeEvent
from feedbackloop.events.records import FeedbackRecord, Value
from feedbackloop.gateway.meta import Outcome

MEAN = "Mean"
SUMS = 5
"""Of each outcome: units, rated, events, total (thousandths) and squares (millionths)."""
KEPT_REPLACED = 64
KEPT_MARKS = 64
"""Outputs of a unit and signal whose values are kept; of later ones nothing is counted."""

_HAPPENED = frozenset({OutcomeEvent.REGENERATED.value, OutcomeEvent.EDITED.value, OutcomeEvent.SKIPPED.value})
"""Events of which nobody is asked: a session without one is as good as a session that said no."""
_NO = "no"

Mark = tuple[str, int]
"""An event's id, and its value in thousandths."""
Sums = tuple[int, int, int, int, int]


class Unit(Struct, array_like=True):
    """An open unit; `pending` are the outcomes that have not counted it yet. New fields come last, with defaults: a
    checkpoint of before has fewer."""

    session: str
    run_uid: str
    epoch: int
    arm: str
    subject: str
    started_at: int
    pending: list[Outcome]
    votes: dict[str, bool]
    """The last vote by signal: of thumbs whether they are up, of a question whether its answer is anything but no."""
    ids: dict[str, str] = {}
    """Event id of each vote."""
    replaced: list[str] = []
    """Event ids that later events supersede: whatever comes under them any more counts no more."""
    marks: dict[str, dict[str, Mark]] = {}
    """By signal and output the last event, of signals whose mean or whose happening is counted."""

    def copied(self) -> Unit:
        """A copy that later events do not change."""
        return structs.replace(
            self,
            pending=list(self.pending),
            votes=dict(self.votes),
            ids=dict(self.ids),
            replaced=list(self.replaced),
            marks={signal: dict(marks) for signal, marks in self.marks.items()},
        )


def said(unit: Unit, record: FeedbackRecord) -> None:
    """Takes an event of the unit's subject: the last one stands, of votes by signal, of marks by signal and output."""
    if record.supersedes:
        _replace(unit, record.supersedes)
    if record.retracted or record.event_id in unit.replaced or _unchanged(record):
        return
    vote = _vote(record)
    if vote is not None and not _older(record, record.signal in unit.votes):
        unit.votes[record.signal], unit.ids[record.signal] = vote, record.event_id
    if any(outcome.signal == record.signal and _marks(outcome) for outcome in unit.pending):
        _mark(unit, record)


def _unchanged(record: FeedbackRecord) -> bool:
    """An edit that changed nothing is none."""
    return record.kind == SignalKind.EDIT and record.value == 0


def _older(record: FeedbackRecord, stands: bool) -> bool:
    """A bad row that was taken up late is older than what stands."""
    return record.channel == "replay" and stands


def _vote(record: FeedbackRecord) -> bool | None:
    if isinstance(record.value, bool):
        return record.value
    return record.value != _NO if record.kind == SignalKind.QUESTION else None


def _marks(outcome: Outcome) -> bool:
    return outcome.event == MEAN or outcome.event in _HAPPENED


def _mark(unit: Unit, record: FeedbackRecord) -> None:
    marks = unit.marks.setdefault(record.signal, {})
    if _older(record, record.output_id in marks) or (record.output_id not in marks and len(marks) >= KEPT_MARKS):
        return
    marks[record.output_id] = (record.event_id, _thousandths(record.kind, record.value))


def _thousandths(kind: str, value: Value) -> int:
    """A dwell's milliseconds are thousandths of a second already."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return round(value) if kind == SignalKind.DWELL else round(value * 1000)


def _replace(unit: Unit, event_id: str) -> None:
    """A later event speaks in the place of this one."""
    if len(unit.replaced) < KEPT_REPLACED:
        unit.replaced.append(event_id)
    for signal in [signal for signal, voted in unit.ids.items() if voted == event_id]:
        del unit.votes[signal], unit.ids[signal]
    for marks in unit.marks.values():
        for output_id in [output_id for output_id, (made, _) in marks.items() if made == event_id]:
            del marks[output_id]


def summed(unit: Unit, outcome: Outcome) -> Sums:
    """What the unit adds to an outcome's counts as its window closes."""
    if outcome.event == MEAN:
        return _mean(unit.marks.get(outcome.signal, {}))
    if outcome.event in _HAPPENED:
        return (1, 1, int(bool(unit.marks.get(outcome.signal))), 0, 0)
    vote = unit.votes.get(outcome.signal)
    return (1, int(vote is not None), int(vote is False), 0, 0)


def _mean(marks: dict[str, Mark]) -> Sums:
    if not marks:
        return (1, 0, 0, 0, 0)
    value = round(fmean(made for _, made in marks.values()))
    return (1, 1, 0, value, value * value)
