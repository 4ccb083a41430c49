"""New feedback with the interactions that it is about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from feedbackloop.api.collection import SignalKind
from feedbackloop.api.feedbackloop import PodOffset
from feedbackloop.events.records import FeedbackRecord, InteractionRecord, Record

MOST = 5_000
"""Events that one run projects; the next run goes on behind them."""
WAIT_MS = 3_600_000
"""So long, by the log's own time, an event whose interaction is not there yet keeps the next run from passing it."""
_SHOWN_ONLY = frozenset({SignalKind.EXPOSURE.value})

Key = tuple[str, str]
"""What an answer is known by: (`output` | `response` | `span`, id)."""
Read = Callable[[Iterable[PodOffset], Iterable[PodOffset]], Iterator[Record]]
"""The records of a cut (first) behind an earlier one (second)."""


@dataclass
class News:
    """What is to be projected."""

    feedback: list[FeedbackRecord] = field(default_factory=list)
    """In the order in which it came."""
    interactions: dict[Key, InteractionRecord] = field(default_factory=dict)
    until: tuple[PodOffset, ...] = ()
    """Where the next run begins; every event up to it is projected, or waits for no interaction any more."""
    newest: int = 0
    """The time of the newest record that was read, Unix milliseconds."""

    def interaction_of(self, record: FeedbackRecord) -> InteractionRecord | None:
        return next((found for key in targets(record) if (found := self.interactions.get(key))), None)


def targets(record: FeedbackRecord) -> list[Key]:
    """Where to look for the interaction of an event; empty for a turn or a session."""
    outputs = [record.output_id] if record.output_id else [side.output_id for side in record.candidates]
    keys = [("output", output) for output in outputs]
    keys += [("response", record.response_id)] if record.response_id else []
    return keys + ([("span", f"{record.trace_id}-{record.span_id}")] if record.trace_id and record.span_id else [])


def names(record: InteractionRecord) -> list[Key]:
    """What its answers are known by."""
    keys = [("output", output.output_id) for output in record.outputs]
    keys += [("response", record.response_id)] if record.response_id else []
    return keys + ([("span", f"{record.trace_id}-{record.span_id}")] if record.trace_id and record.span_id else [])


def news(read: Read, cut: tuple[PodOffset, ...], since: tuple[PodOffset, ...], most: int = MOST) -> News:
    """Reads what came between two cuts; for interactions that are older, what came before."""
    found = News()
    found.until = _feedback(read(cut, since), found, cut, since, most)
    found.feedback.sort(key=lambda record: (record.received_at, record.pod, record.seq))
    wanted = {key for record in found.feedback for key in targets(record)}
    # Mostly a vote comes soon after its answer: the older part of the log is read only when something is missing.
    for end, begin in ((cut, since), (since, ())):
        if any(found.interaction_of(record) is None for record in found.feedback):
            _interactions(read(end, begin), wanted, found)
    if len(found.feedback) < most:  # a run that was cut short must get on
        found.until = tuple(_before_waiting(position, found) for position in found.until)
    return found


def _before_waiting(position: PodOffset, found: News) -> PodOffset:
    """The position, or the one before the pod's first event that may still find its interaction."""
    ours = (record for record in found.feedback if record.pod == position.pod)
    offset = min([position.offset, *(record.seq - 1 for record in ours if _waits(record, found))])
    return PodOffset(pod=position.pod, offset=offset, trainable=0)


def _waits(record: FeedbackRecord, found: News) -> bool:
    fresh = found.newest - record.received_at < WAIT_MS
    return fresh and bool(targets(record)) and found.interaction_of(record) is None


def _feedback(
    records: Iterator[Record], found: News, cut: tuple[PodOffset, ...], since: tuple[PodOffset, ...], most: int
) -> tuple[PodOffset, ...]:
    """Collects events; the cut that was reached."""
    reached = {position.pod: position for position in since}
    for record in records:
        if len(found.feedback) >= most:
            return tuple(reached.values())
        found.newest = max(found.newest, record.received_at)
        reached[record.pod] = PodOffset(pod=record.pod, offset=record.seq, trainable=0)
        if isinstance(record, FeedbackRecord) and record.kind not in _SHOWN_ONLY:
            found.feedback.append(record)
    return cut


def _interactions(records: Iterator[Record], wanted: set[Key], found: News) -> None:
    for record in records:
        if isinstance(record, InteractionRecord):
            for key in names(record):
                if key in wanted:
                    found.interactions.setdefault(key, record)
