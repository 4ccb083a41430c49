"""From evaluation events to feedback, and from GenAI spans to interactions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from feedbackloop.api.collection import Signal
from feedbackloop.gateway.otlp import logs, spans
from feedbackloop.gateway.otlp.model import LogEntry, SpanEntry, SpanEvent
from feedbackloop.gateway.otlp.names import Names

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
DECLARED = [
    {"name": "helpful", "kind": "Thumbs", "dimension": "Satisfaction"},
    {"name": "true", "kind": "Thumbs", "dimension": "Factuality"},
    {"name": "rating", "kind": "Stars"},
    {"name": "why", "kind": "Reason", "values": ["inaccurate", "style"]},
    {"name": "fix", "kind": "Correction"},
    {"name": "note", "kind": "Comment"},
    {"name": "prefer", "kind": "Preference"},
    {"name": "correct", "kind": "Question", "dimension": "Factuality"},
    {"name": "sold", "kind": "Conversion", "values": ["bought"]},
    {"name": "read", "kind": "Dwell"},
    {"name": "seen", "kind": "Exposure"},
]
NAMES = Names({item["name"]: Signal.model_validate(item) for item in DECLARED})


def mapped(body: Any = None, **given: Any) -> list[dict[str, Any]]:
    """The events of a record whose attributes have `__` for `.`."""
    attributes = {name.replace("__", "."): value for name, value in given.items()}
    entry = LogEntry(logs.RESULT, attributes, body, TRACE, SPAN, 10**18)
    return logs.feedback(entry, NAMES)


def evaluation(name: str, score: Any = None, label: str | None = None, **more: Any) -> list[dict[str, Any]]:
    given = {"gen_ai__evaluation__name": name, "gen_ai__response__id": "chatcmpl-1"}
    given |= {"gen_ai__evaluation__score__value": score} if score is not None else {}
    given |= {"gen_ai__evaluation__score__label": label} if label is not None else {}
    return mapped(**given | more)


VALUES = [
    ("user.satisfaction.thumbs", 1.0, None, "helpful", True),
    ("user.factuality.thumbs", 0.0, None, "true", False),
    ("helpful", None, "thumbs_down", "helpful", False),
    ("user.satisfaction.thumbs", 0.5, None, "helpful", 0.5),
    ("user.satisfaction.stars", 4.0, None, "rating", 4),
    ("user.satisfaction.reason", None, "style", "why", "style"),
    ("user.factuality.rating_question", None, "unsure", "correct", "unsure"),
    ("user.factuality.question", 1.0, None, "correct", "yes"),
    ("user.task_success.conversion", 12.5, None, "sold", 12.5),
    ("read", 1500.0, None, "read", 1500),
    ("seen", None, None, "seen", None),
    ("user.style.nothing", 1.0, None, "user.style.nothing", 1.0),
    ("relevance", 0.7, "relevant", "relevance", 0.7),
]


@pytest.mark.parametrize(("name", "score", "label", "signal", "value"), VALUES)
def test_scores_and_labels_become_the_values_of_the_signals_kind(
    name: str, score: Any, label: str | None, signal: str, value: Any
) -> None:
    (made,) = evaluation(name, score, label)
    assert (made["signal"], made["value"]) == (signal, value)
    assert type(made["value"]) is type(value)
    assert made["response_id"] == "chatcmpl-1"
    assert "output_id" not in made


def test_our_attributes_carry_everything_an_event_may_have() -> None:
    ours = {
        "event_id": "6f1c2b9a-0000-4000-8000-000000000001",
        "signal": "helpful",
        "value": False,
        "output_id": "o-1",
        "subject_id": "anna",
        "session_id": "s-1",
        "consent": "true",
        "supersedes": "6f1c2b9a-0000-4000-8000-000000000000",
        "source.type": "ANNOTATOR",
        "level": "turn",
        "turn_id": "t-1",
    }
    (made,) = mapped(**{f"feedbackloop__{name}": value for name, value in ours.items()})
    assert made == {
        "event_id": ours["event_id"],
        "signal": "helpful",
        "value": False,
        "output_id": "o-1",
        "subject_id": "anna",
        "session_id": "s-1",
        "consent": {"train": True},
        "supersedes": ours["supersedes"],
        "source": "ANNOTATOR",
        "level": "turn",
        "turn_id": "t-1",
        "trace_id": TRACE,
        "span_id": SPAN,
    }


def test_what_is_judged_is_found_by_the_span_when_no_answer_is_named() -> None:
    (made,) = mapped(
        gen_ai__evaluation__name="helpful", gen_ai__evaluation__score__value=1, gen_ai__conversation__id="c"
    )
    assert (made["trace_id"], made["span_id"], made["session_id"]) == (TRACE, SPAN, "c")


def test_a_vote_with_reason_comment_and_correction_is_four_events() -> None:
    made = evaluation(
        "helpful", 0.0, "inaccurate", gen_ai__evaluation__explanation="wrong year", feedbackloop__correction="1999"
    )
    assert {event["signal"]: event["value"] for event in made} == {
        "helpful": False,
        "why": "inaccurate",
        "note": "wrong year",
        "fix": "1999",
    }
    assert len({event["event_id"] for event in made}) == 4
    assert all(event["response_id"] == "chatcmpl-1" for event in made)


def test_a_label_that_is_no_reason_of_the_loop_makes_no_event() -> None:
    assert [event["signal"] for event in evaluation("helpful", 1.0, "pass")] == ["helpful"]


def test_a_comment_and_a_correction_may_stand_alone_or_in_the_body() -> None:
    assert evaluation("note", gen_ai__evaluation__explanation="fine")[0]["value"] == "fine"
    assert [event["value"] for event in mapped("better", gen_ai__evaluation__name="fix")] == ["better"]


def test_an_explanation_without_a_comment_signal_is_told() -> None:
    entry = LogEntry(logs.RESULT, {"gen_ai.evaluation.name": "helpful", "gen_ai.evaluation.explanation": "x"})
    bare = Names({"helpful": Signal.model_validate({"name": "helpful", "kind": "Thumbs"})})
    assert logs.unmapped(entry, logs.feedback(entry, bare))
    assert not logs.unmapped(entry, logs.feedback(entry, NAMES))


def test_a_preference_names_its_sides_in_order() -> None:
    (made,) = evaluation("prefer", None, "a", feedbackloop__candidates=["o-2", "o-1"], feedbackloop__positions=[1, 0])
    assert made["value"] == "a"
    assert made["candidates"] == [{"output_id": "o-2", "position": 1}, {"output_id": "o-1", "position": 0}]


def test_a_repeated_export_has_the_same_ids_and_another_event_others() -> None:
    first, again, other = evaluation("helpful", 1.0), evaluation("helpful", 1.0), evaluation("helpful", 0.0)
    assert first == again
    assert first[0]["event_id"] != other[0]["event_id"]


def span(*events: SpanEvent, operation: str = "chat", **given: Any) -> SpanEntry:
    attributes = {"gen_ai.operation.name": operation} | {
        name.replace("__", "."): value for name, value in given.items()
    }
    return SpanEntry("chat m-7b", attributes, TRACE, SPAN, list(events))


ASKED = [
    {"role": "user", "parts": [{"type": "text", "content": "How long?"}, {"type": "blob", "content": "eHg="}]},
    {"role": "assistant", "parts": [{"type": "tool_call", "name": "f", "arguments": {}}]},
    {"role": "tool", "parts": [{"type": "tool_call_response", "response": "x"}, {"type": "text", "content": "two"}]},
]
ANSWERED = [
    {"role": "assistant", "parts": [{"type": "text", "content": text}], "finish_reason": "stop"} for text in "ab"
]


@pytest.mark.parametrize("as_text", [True, False])
def test_a_span_becomes_an_interaction_with_its_context(as_text: bool) -> None:
    def form(value: Any) -> Any:
        return json.dumps(value) if as_text else value

    made = spans.interaction(
        span(
            gen_ai__input__messages=form(ASKED),
            gen_ai__output__messages=form(ANSWERED),
            gen_ai__system_instructions=form([{"type": "text", "content": "Be brief."}]),
            gen_ai__retrieval__documents=form([{"id": "d-1", "score": 0.9}, {"id": "d-2"}]),
            gen_ai__response__id="chatcmpl-1",
            gen_ai__response__model="m-7b-3",
            gen_ai__conversation__id="s-1",
            gen_ai__prompt__name="support",
            feedbackloop__prompt__version="14",
            feedbackloop__subject_id="anna",
            feedbackloop__consent=True,
            feedbackloop__region="eu",
        )
    )
    assert made is not None
    assert made.pop("event_id")
    assert made == {
        "session_id": "s-1",
        "subject_id": "anna",
        "consent": {"train": True},
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "How long?"},
            {"role": "assistant", "content": ""},
            {"role": "tool", "content": "two"},
        ],
        "outputs": [{"output_id": "chatcmpl-1", "content": "a"}, {"output_id": "chatcmpl-1.1", "content": "b"}],
        "context": {
            "prompt_template": "support@14",
            "model_version": "m-7b-3",
            "retrieval": ["d-1", "d-2"],
            "region": "eu",
        },
        "response_id": "chatcmpl-1",
        "trace_id": TRACE,
        "span_id": SPAN,
    }


OLDER = [
    span(
        SpanEvent("gen_ai.system.message", {"content": "Be brief."}),
        SpanEvent("gen_ai.user.message", {"content": "How long?"}),
        SpanEvent("gen_ai.choice", {"index": 0, "message": '{"content": "two", "role": "assistant"}'}),
    ),
    span(
        SpanEvent(
            "gen_ai.content.prompt",
            {"gen_ai.prompt": '[{"role":"system","content":"Be brief."},{"role":"user","content":"How long?"}]'},
        ),
        SpanEvent("gen_ai.content.completion", {"gen_ai.completion": '[{"role":"assistant","content":"two"}]'}),
    ),
    span(
        SpanEvent(
            "gen_ai.client.inference.operation.details",
            {
                "gen_ai.system_instructions": '[{"type":"text","content":"Be brief."}]',
                "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"How long?"}]}]',
                "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"two"}]}]',
            },
        )
    ),
    span(
        **{
            "gen_ai.prompt.0.role": "system",
            "gen_ai.prompt.0.content": "Be brief.",
            "gen_ai.prompt.1.role": "user",
            "gen_ai.prompt.1.content": "How long?",
            "gen_ai.completion.0.content": "two",
        }
    ),
]


@pytest.mark.parametrize("older", OLDER)
def test_older_forms_of_content_are_read_too(older: SpanEntry) -> None:
    made = spans.interaction(older)
    assert made is not None
    assert [(said["role"], said["content"]) for said in made["messages"]] == [
        ("system", "Be brief."),
        ("user", "How long?"),
    ]
    assert made["outputs"] == [{"output_id": f"{TRACE}-{SPAN}", "content": "two"}]


def test_spans_of_other_operations_or_without_content_are_not_ours() -> None:
    content = {"gen_ai__input__messages": json.dumps(ASKED), "gen_ai__output__messages": json.dumps(ANSWERED)}
    assert spans.interaction(span(operation="embeddings", **content)) is None
    assert spans.interaction(span(gen_ai__response__id="chatcmpl-1")) is None
    assert spans.interaction(span(gen_ai__input__messages="{", gen_ai__output__messages="nonsense")) is None
    assert spans.interaction(SpanEntry("GET /", {})) is None


def test_a_log_event_with_the_content_is_an_interaction_too() -> None:
    attributes = {"gen_ai.input.messages": ASKED, "gen_ai.output.messages": ANSWERED[:1]}
    made = spans.logged_interaction(LogEntry(spans.DETAILS, attributes, None, TRACE, SPAN, 1))
    assert made is not None
    assert made["outputs"] == [{"output_id": f"{TRACE}-{SPAN}", "content": "a"}]
