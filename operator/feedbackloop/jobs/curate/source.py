"""From stored records to rows. The only place of curation that knows what the log looks like."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from feedbackloop.events.records import FeedbackRecord, InteractionRecord, LostRecord, Record
from feedbackloop.jobs.curate.rows import Feedback, Interaction, Output


@dataclass
class Events:
    """The records of a cut by what they are."""

    interactions: list[Interaction] = field(default_factory=list)
    feedback: list[Feedback] = field(default_factory=list)
    lost: int = 0
    """Records that were damaged on the gateway's volume."""


def sort_out(records: Iterable[Record]) -> Events:
    events = Events()
    for record in records:
        if isinstance(record, InteractionRecord):
            events.interactions.append(_interaction(record))
        elif isinstance(record, FeedbackRecord):
            events.feedback.append(_feedback(record))
        elif isinstance(record, LostRecord):
            events.lost += 1
    return events


def _interaction(record: InteractionRecord) -> Interaction:
    outputs = tuple(Output(output.output_id, output.content) for output in record.outputs)
    return Interaction(
        event_id=record.event_id,
        subject=record.subject,
        consent=record.consent,
        messages=record.messages,
        outputs=outputs,
        received_at=record.received_at,
        session=record.session,
        turn_id=record.context.turn_id,
        parent_output_id=record.parent_output_id,
        response_id=record.response_id,
        span=_span(record),
    )


def _span(record: InteractionRecord | FeedbackRecord) -> str:
    return f"{record.trace_id}/{record.span_id}" if record.trace_id and record.span_id else ""


def _feedback(record: FeedbackRecord) -> Feedback:
    return Feedback(
        event_id=record.event_id,
        order=(record.received_at, record.pod, record.seq),
        subject=record.subject,
        signal=record.signal,
        value=record.value,
        output_id=record.output_id or None,
        candidates=tuple(candidate.output_id for candidate in record.candidates),
        consent=record.consent,
        level=record.level,
        session=record.session,
        turn_id=record.turn_id,
        supersedes=record.supersedes,
        retracted=record.retracted,
        response_id=record.response_id,
        span=_span(record),
    )
