"""Whatever an exporter puts into the attributes that we read, mapping makes bodies of it and never fails."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from feedbackloop.gateway.otlp import jsonform, logs, spans
from feedbackloop.gateway.otlp.model import LogEntry, SpanEntry, SpanEvent, Undecodable
from feedbackloop.gateway.otlp.port import _item
from tests.unit.gateway.otlp.test_mapping import DECLARED, NAMES, SPAN, TRACE

OURS = (
    "event_id signal value output_id subject_id session_id consent supersedes retracted source.type correction "
    "candidates positions level turn_id goal fraction region"
)
READ = [f"feedbackloop.{name}" for name in OURS.split()] + [
    "gen_ai.evaluation.name",
    "gen_ai.evaluation.score.value",
    "gen_ai.evaluation.score.label",
    "gen_ai.evaluation.explanation",
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.retrieval.documents",
    "gen_ai.response.id",
    "gen_ai.prompt.0.content",
    "gen_ai.completion.0.content",
    "gen_ai.completion",
    "message",
    "content",
    "user.id",
]
SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(max_size=8)
PARTS = st.sampled_from(["role", "content", "parts", "type", "text", "id", "message"])
VALUES = st.recursive(
    SCALARS | st.sampled_from([signal["name"] for signal in DECLARED] + ['[{"role": 7, "parts": {}}]', "[1]", "{}"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PARTS, inner, max_size=3),
    max_leaves=8,
)
ATTRIBUTES = st.dictionaries(st.sampled_from(READ), VALUES, max_size=10)


@given(ATTRIBUTES, VALUES)
def test_any_evaluation_event_becomes_events_that_ingest_can_judge(attributes: dict[str, Any], body: Any) -> None:
    made = logs.feedback(LogEntry(logs.RESULT, attributes, body, TRACE, SPAN, 1), NAMES)
    assert made
    for event in made:
        item = _item(event)
        assert isinstance(item, msgspec.Struct) or json.loads(bytes(item))["event_id"]


@given(
    ATTRIBUTES,
    st.lists(st.tuples(st.sampled_from(["gen_ai.choice", "gen_ai.user.message", "x"]), ATTRIBUTES), max_size=3),
)
def test_any_span_becomes_a_body_or_nothing(
    attributes: dict[str, Any], events: list[tuple[str, dict[str, Any]]]
) -> None:
    given_ = attributes | {"gen_ai.operation.name": "chat"}
    made = spans.interaction(SpanEntry("chat", given_, TRACE, SPAN, [SpanEvent(*event) for event in events]))
    assert made is None or json.loads(msgspec.json.encode(made))["outputs"]


def test_a_lone_surrogate_is_no_text() -> None:
    body = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"\\ud800"}}]}]}]}'
    try:
        (entry,) = jsonform.logs(body)
    except Undecodable:
        return
    assert entry is not None
    assert logs.feedback(entry, NAMES)
