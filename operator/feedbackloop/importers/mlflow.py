"""MLflow: traces with their assessments, as its REST API or `Trace.to_json` give them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from feedbackloop.importers import conversation, saying
from feedbackloop.importers.model import (
    Found,
    Row,
    Skipped,
    event_id,
    interaction,
    listed,
    mapping,
    moment,
    present,
    text,
)
from feedbackloop.importers.vocabulary import Vocabulary

SOURCE = "mlflow"
_SOURCES = {"HUMAN": "END_USER", "LLM_JUDGE": "LLM_JUDGE", "AI_JUDGE": "LLM_JUDGE", "CODE": "CODE"}
_EXPECTED = "expected_response"


def convert(traces: Iterable[Row], words: Vocabulary) -> Iterator[Found]:
    """Assessments to events, expected responses to corrections, traces to interactions."""
    for trace in traces:
        info = _info(trace)
        name = text(info.get("trace_id")) or text(info.get("request_id"))
        found = [mapping(one) for one in listed(info.get("assessments"))]
        if not name or not found:
            yield Skipped(name or "?", "the trace has no id, or no assessments")
            continue
        yield _interaction(name, info, mapping(trace.get("data")))
        for assessment in found:
            yield from _assessment(name, info, assessment, words)


def _info(trace: Row) -> Row:
    inner = mapping(trace.get("trace")) or trace
    return mapping(inner.get("info")) or mapping(inner.get("trace_info")) or inner


def _metadata(info: Row) -> Row:
    return mapping(info.get("trace_metadata")) or mapping(info.get("request_metadata"))


def _interaction(name: str, info: Row, data: Row) -> Found:
    metadata = _metadata(info)
    root = next((span for span in map(mapping, listed(data.get("spans"))) if not span.get("parent_span_id")), {})
    attributes = mapping(root.get("attributes"))
    asked = conversation.messages(_first(attributes.get("mlflow.spanInputs"), metadata.get("mlflow.traceInputs"),
                                         info.get("request_preview")))  # fmt: skip
    answer = conversation.answer(_first(attributes.get("mlflow.spanOutputs"), metadata.get("mlflow.traceOutputs"),
                                        info.get("response_preview")))  # fmt: skip
    if not asked or not answer:
        return Skipped(name, "interaction: the trace holds no question and answer as text")
    session, subject = text(metadata.get("mlflow.trace.session")), text(metadata.get("mlflow.trace.user"))
    context = {"client": SOURCE}
    return interaction(SOURCE, name, session, asked, {name: answer}, subject_id=subject, context=context)


def _first(*values: Any) -> Any:
    return next((value for value in values if value), None)


def _assessment(trace: str, info: Row, given: Row, words: Vocabulary) -> Iterator[Found]:
    where, name = text(given.get("assessment_id")), text(given.get("assessment_name")) or text(given.get("name"))
    if not where:
        yield Skipped(trace, "an assessment has no id")
        return
    if given.get("valid") is False:
        yield Skipped(where, "it was replaced by another assessment, which is imported instead")
        return
    shared = _shared(trace, info, given)
    body, feedback = shared | {"event_id": event_id(SOURCE, where)}, mapping(given.get("feedback"))
    if feedback.get("error"):
        yield Skipped(where, "the judge failed: there is no value")
    elif feedback:
        yield saying.named(words, name, feedback.get("value"), where, body)
    elif name == _EXPECTED:
        yield saying.of_kind(words, "Correction", name, _expected(mapping(given.get("expectation"))), where, body)
    else:
        yield saying.named(words, name, _expected(mapping(given.get("expectation"))), where, body)
    if rationale := text(given.get("rationale")):
        body = shared | {"event_id": event_id(SOURCE, where, "rationale")}
        yield saying.of_kind(words, "Comment", "rationale", rationale, where, body)


def _expected(expectation: Row) -> Any:
    serialized = mapping(expectation.get("serialized_value")).get("value")
    if not isinstance(serialized, str):
        return expectation.get("value")
    try:
        return json.loads(serialized)
    except ValueError:
        return serialized


def _shared(trace: str, info: Row, given: Row) -> dict[str, Any]:
    source, metadata = mapping(given.get("source")), _metadata(info)
    human = text(source.get("source_type")) == "HUMAN"
    return {"output_id": trace} | present(
        session_id=text(metadata.get("mlflow.trace.session")),
        subject_id=text(source.get("source_id")) if human else "",
        occurred_at=moment(given.get("create_time", given.get("create_time_ms"))),
        source=_SOURCES.get(text(source.get("source_type")), "CODE"),
    )
