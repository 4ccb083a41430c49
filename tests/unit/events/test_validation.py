"""Validation against the declared signals: codes, paths, and no echo of the input."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from feedbackloop.api.collection import Signal
from feedbackloop.events.incoming import IncomingFeedback, IncomingInteraction
from feedbackloop.events.validation import MESSAGES, Checked, Refusal, check_feedback, explain

ID = "0192f0c1-0000-7000-8000-000000000001"
SIGNALS = {
    signal.name: signal
    for signal in (
        Signal(name="helpful", kind="Thumbs"),
        Signal(name="why", kind="Reason", values=("style", "unsafe")),
        Signal(name="fix", kind="Correction"),
        Signal(name="prefer", kind="Preference"),
        Signal(name="seen", kind="Exposure"),
    )
}
PAIR = [{"output_id": "o-1", "position": 0}, {"output_id": "o-2", "position": 1}]


def check(outputs: tuple[str, ...] = ("o-1",), **fields: Any) -> Checked:
    event = msgspec.convert({"event_id": ID} | fields, IncomingFeedback)
    return check_feedback(event, SIGNALS, outputs)


def test_each_kind_takes_its_values() -> None:
    assert check(signal="helpful", value=False).value is False
    assert check(signal="why", value="style").value == "style"
    assert check(signal="fix", value="thirty days").output_id == "o-1"
    assert check(signal="seen").value is None
    preference = check(("o-1", "o-2"), signal="prefer", value="b", candidates=PAIR)
    assert [side.output_id for side in preference.candidates] == ["o-1", "o-2"]
    assert preference.output_id == ""


REFUSED = [
    ({"signal": "stars", "value": 3}, "unknown_signal", "$.signal"),
    ({"signal": "helpful", "value": 1}, "bad_value", "$.value"),
    ({"signal": "helpful", "value": "true"}, "bad_value", "$.value"),
    ({"signal": "helpful"}, "missing_field", "$.value"),
    ({"signal": "why", "value": "other"}, "bad_value", "$.value"),
    ({"signal": "why", "value": ["style"]}, "bad_value", "$.value"),
    ({"signal": "fix", "value": "  "}, "bad_value", "$.value"),
    ({"signal": "fix", "value": "x" * 4097}, "too_large", "$.value"),
    ({"signal": "seen", "value": True}, "bad_value", "$.value"),
    ({"signal": "prefer", "value": "a"}, "missing_field", "$.candidates"),
    ({"signal": "prefer", "value": "c", "candidates": PAIR}, "bad_value", "$.value"),
    ({"signal": "prefer", "value": "a", "candidates": PAIR[:1]}, "bad_value", "$.candidates"),
    ({"signal": "prefer", "value": "a", "candidates": PAIR}, "unknown_output", "$.candidates[1].output_id"),
    ({"signal": "helpful", "value": True, "candidates": PAIR}, "unknown_field", "$.candidates"),
    ({"signal": "helpful", "value": True, "output_id": "o-9"}, "unknown_output", "$.output_id"),
    ({"signal": "helpful", "value": True, "event_id": "7"}, "malformed", "$.event_id"),
    ({"signal": "helpful", "value": True, "occurred_at": "yesterday"}, "malformed", "$.occurred_at"),
    ({"signal": "helpful", "value": True, "occurred_at": "2026-11-23T02:00:00"}, "malformed", "$.occurred_at"),
]


@pytest.mark.parametrize(("fields", "code", "path"), REFUSED)
def test_a_bad_event_is_refused_with_code_and_path(fields: dict[str, Any], code: str, path: str) -> None:
    with pytest.raises(Refusal) as raised:
        check(**fields)
    assert (raised.value.code, raised.value.path) == (code, path)
    assert raised.value.message in MESSAGES.values()


def test_an_event_about_one_of_several_outputs_must_say_which() -> None:
    with pytest.raises(Refusal) as raised:
        check(("o-1", "o-2"), signal="helpful", value=True)
    assert (raised.value.code, raised.value.path) == ("missing_field", "$.output_id")


def test_a_client_time_is_kept_in_utc() -> None:
    checked = check(signal="seen", occurred_at="2026-11-23T02:00:00+02:00")
    assert checked.occurred_at == "2026-11-23T00:00:00+00:00"


UNDECODABLE = [
    ([], "malformed", "$"),
    ("text", "malformed", "$"),
    ({"signal": "helpful"}, "missing_field", "$.event_id"),
    ({"event_id": ID, "signal": 5}, "malformed", "$.signal"),
    ({"event_id": ID, "signal": "helpful", "secret@example.com": 1}, "unknown_field", "$"),
    ({"event_id": ID, "signal": "helpful", "consent": {"train": "no"}}, "malformed", "$.consent"),
    ({"event_id": ID, "signal": "helpful", "candidates": [{"output": 1}]}, "malformed", "$.candidates"),
]


@pytest.mark.parametrize(("raw", "code", "path"), UNDECODABLE)
def test_what_does_not_decode_is_explained_without_being_quoted(raw: Any, code: str, path: str) -> None:
    refusal = explain(raw, IncomingFeedback)
    assert (refusal.code, refusal.path) == (code, path)
    assert "example.com" not in str(refusal) + refusal.message


def test_a_refusal_inside_a_batch_names_its_place() -> None:
    refusal = explain({"signal": "x"}, IncomingFeedback).below("$.events[3]")
    assert refusal.path == "$.events[3].event_id"


def test_an_interaction_without_outputs_is_explained() -> None:
    raw = {"event_id": ID, "session_id": "s", "messages": []}
    assert explain(raw, IncomingInteraction).path == "$.outputs"
