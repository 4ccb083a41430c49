"""Records in MLflow's words (pure): a trace for an interaction, an assessment for an event."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from feedbackloop.api.collection import SignalKind
from feedbackloop.events.records import FeedbackRecord, InteractionRecord

EVENT_ID, SUPERSEDES = "feedbackloop.event_id", "feedbackloop.supersedes"
EXPECTED = "expected_response"
PREVIEW = 1_000
"""Characters of a preview; MLflow keeps no more."""
_K = SignalKind
_SOURCES = {"END_USER": "HUMAN", "ANNOTATOR": "HUMAN", "LLM_JUDGE": "LLM_JUDGE", "CODE": "CODE"}


@dataclass(frozen=True)
class Trace:
    """An interaction. Its id is made from the interaction's, so that it is the same in every run."""

    trace_id: str
    request_time: int
    request: str
    response: str
    metadata: dict[str, str]
    tags: dict[str, str]


@dataclass(frozen=True)
class Draft:
    """An assessment that is to be there. `value` of an expectation is the expected answer."""

    event_id: str
    name: str
    value: Any
    source_type: str
    source_id: str
    metadata: dict[str, str]
    at: int
    rationale: str | None = None
    expectation: bool = False
    supersedes: str = ""
    """The event whose assessment this one overrides."""
    retracted: bool = False
    """Nothing is to be there, and the superseded one neither."""


def trace(record: InteractionRecord, loop_uid: str, loop: str, *, with_text: bool) -> Trace:
    """The trace of an interaction; without its text when its author did not agree."""
    asked = [{"role": message.role, "content": message.content} for message in record.messages]
    answers = [output.content for output in record.outputs]
    answer = answers[0] if len(answers) == 1 else answers
    ids = ",".join(output.output_id for output in record.outputs)
    context = {
        "feedbackloop.prompt_template": record.context.prompt_template,
        "feedbackloop.segment": record.context.segment,
        "feedbackloop.region": record.context.region,
        "feedbackloop.response_id": record.response_id,
        "feedbackloop.channel": record.channel,
    }
    tags = {"mlflow.traceName": "feedbackloop", "feedbackloop.loop": loop, "feedbackloop.output_ids": ids}
    people = {"mlflow.trace.session": record.session, "mlflow.trace.user": record.subject}
    return Trace(
        trace_id=trace_id(record, loop_uid),
        request_time=record.received_at,
        request=json.dumps({"messages": asked}, ensure_ascii=False) if with_text else "",
        response=json.dumps(answer, ensure_ascii=False) if with_text else "",
        metadata={name: value for name, value in people.items() if value},
        tags=tags | {name: value for name, value in context.items() if value},
    )


def trace_id(record: InteractionRecord, loop_uid: str) -> str:
    digest = hashlib.blake2b(f"{loop_uid}/{record.event_id}".encode(), digest_size=16)
    return f"tr-{digest.hexdigest()}"


def draft(record: FeedbackRecord, *, with_text: bool) -> Draft | None:
    """The assessment of an event; None when it is nothing but a text that its author did not agree to."""
    kind = record.kind
    if kind == _K.CORRECTION and not with_text and not record.retracted:
        return None
    metadata = {
        EVENT_ID: record.event_id,
        "feedbackloop.signal": record.signal,
        "feedbackloop.kind": kind,
        "feedbackloop.output_id": record.output_id,
        "feedbackloop.candidates": ",".join(side.output_id for side in record.candidates),
        "feedbackloop.detail": record.detail,
        "feedbackloop.stream": record.stream,
        "feedbackloop.channel": record.channel,
        SUPERSEDES: record.supersedes,
    }
    text = record.value if with_text and kind == _K.COMMENT and isinstance(record.value, str) else None
    return Draft(
        event_id=record.event_id,
        name=EXPECTED if kind == _K.CORRECTION else record.dimension.lower() or record.signal,
        value=_value(record),
        source_type=_SOURCES.get(record.source, "CODE"),
        source_id=record.subject,
        metadata={name: value for name, value in metadata.items() if value},
        at=record.received_at,
        rationale=text,
        expectation=kind == _K.CORRECTION,
        supersedes=record.supersedes,
        retracted=record.retracted,
    )


def _value(record: FeedbackRecord) -> Any:
    """MLflow wants a value: kinds that have none, or whose value is a text of its own, are named by their kind."""
    return record.kind.lower() if record.value is None or record.kind == _K.COMMENT else record.value
