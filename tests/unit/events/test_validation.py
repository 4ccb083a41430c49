"""Validation against the declared signals: codes, paths, and no echo of the input."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from feedbackloop.api.collection import Signal
from feedbackloop.events.incoming import IncomingFeedback, IncomingInteraction, TrustedFeedback
from feedbackloop.events.tokens import Claims
from feedbackloop.events.validation import MESSAGES, Checked, Refusal, check_feedback, explain

ID = "0192f0c1-0000-7000-8000-000000000001"
OTHER = "0192f0c1-0000-7000-8000-000000000002"
SIGNALS = {
    signal.name: signal
    for signal in (
        Signal(name="helpful", kind="Thumbs"),
        Signal(name="stars", kind="Stars"),
        Signal(name="ten", kind="Stars", scale_max=10),
        Signal(name="why", kind="Reason", values=("style", "unsafe")),
        Signal(name="fix", kind="Correction"),
        Signal(name="note", kind="Comment"),
        Signal(name="prefer", kind="Preference"),
        Signal(name="true", kind="Question", dimension="Factuality"),
        Signal(name="skip", kind="Skip"),
        Signal(name="seen", kind="Exposure"),
        Signal(name="dwell", kind="Dwell"),
        Signal(name="copy", kind="Copy"),
        Signal(name="accept", kind="Accept"),
        Signal(name="again", kind="Regenerate"),
        Signal(name="edit", kind="Edit"),
        Signal(name="bought", kind="Conversion"),
        Signal(name="goal", kind="Conversion", values=("signup", "purchase")),
        Signal(name="next", kind="FollowUp"),
        Signal(name="gone", kind="Abandonment"),
    )
}
PAIR = [{"output_id": "o-1", "position": 0}, {"output_id": "o-2", "position": 1}]


def claims(outputs: tuple[str, ...] = ("o-1",), session: str = "5" * 32, verified: bool = False) -> Claims:
    return Claims("a" * 32, session, outputs, verified=verified)


def check(outputs: tuple[str, ...] = ("o-1",), **fields: Any) -> Checked:
    event = msgspec.convert({"event_id": ID} | fields, IncomingFeedback)
    return check_feedback(event, SIGNALS, claims(outputs))


TAKEN = [
    ("helpful", False, False),
    ("stars", 5, 5),
    ("ten", 10, 10),
    ("why", "style", "style"),
    ("fix", "thirty days", "thirty days"),
    ("note", "ok", "ok"),
    ("true", "unsure", "unsure"),
    ("skip", None, None),
    ("seen", None, None),
    ("dwell", 1200, 1200),
    ("dwell", 99_000_000, 3_600_000),
    ("copy", 0, 0),
    ("accept", True, True),
    ("again", None, None),
    ("edit", 0, 0.0),
    ("edit", 0.25, 0.25),
    ("bought", -3, -3.0),
    ("bought", 19.9, 19.9),
]


@pytest.mark.parametrize(("signal", "value", "stored"), TAKEN)
def test_each_kind_takes_its_values(signal: str, value: Any, stored: Any) -> None:
    checked = check(signal=signal, value=value)
    assert (checked.value, type(checked.value)) == (stored, type(stored))
    assert checked.output_id == "o-1"


def test_a_preference_is_about_two_outputs_at_their_places() -> None:
    preference = check(("o-1", "o-2"), signal="prefer", value="b", candidates=PAIR)
    assert [(side.output_id, side.position) for side in preference.candidates] == [("o-1", 0), ("o-2", 1)]
    assert preference.output_id == ""


VALUES = [True, False, 0, 1, 5, 6, -1, 1.0, 0.5, 5.0, "", "  ", "true", "5", "a", "style", 2**53 - 1, None]
FITTING = {
    "helpful": [True, False],
    "accept": [True, False],
    "stars": [1, 5],
    "ten": [1, 5, 6],
    "why": ["style"],
    "fix": ["true", "5", "a", "style"],
    "prefer": ["a"],
    "true": [],
    "skip": [None],
    "dwell": [0, 1, 5, 6, 2**53 - 1],
    "copy": [0, 1, 5, 6, 2**53 - 1],
    "edit": [0, 1, 1.0, 0.5],
    "bought": [0, 1, 5, 6, -1, 1.0, 0.5, 5.0, 2**53 - 1],
}


@pytest.mark.parametrize("signal", FITTING)
def test_types_are_told_apart_strictly(signal: str) -> None:
    def fits(value: Any) -> bool:
        sides = {"candidates": PAIR} if signal == "prefer" else {}
        try:
            check(("o-1", "o-2"), signal=signal, value=value, **sides)
        except Refusal as refusal:
            if refusal.path == "$.value":
                return False
        return True

    found = [(type(value), value) for value in VALUES if fits(value)]
    assert found == [(type(value), value) for value in FITTING[signal]]


REFUSED = [
    ({"signal": "star", "value": 3}, "unknown_signal", "$.signal"),
    ({"signal": "helpful", "value": 1}, "bad_value", "$.value"),
    ({"signal": "helpful", "value": "true"}, "bad_value", "$.value"),
    ({"signal": "helpful"}, "missing_field", "$.value"),
    ({"signal": "stars", "value": True}, "bad_value", "$.value"),
    ({"signal": "stars", "value": 5.0}, "bad_value", "$.value"),
    ({"signal": "stars", "value": 0}, "bad_value", "$.value"),
    ({"signal": "edit", "value": 1.01}, "bad_value", "$.value"),
    ({"signal": "bought", "value": True}, "bad_value", "$.value"),
    ({"signal": "why", "value": "other"}, "bad_value", "$.value"),
    ({"signal": "fix", "value": "  "}, "bad_value", "$.value"),
    ({"signal": "seen", "value": True}, "bad_value", "$.value"),
    ({"signal": "next", "value": "thanks"}, "computed_signal", "$.signal"),
    ({"signal": "gone"}, "computed_signal", "$.signal"),
    ({"signal": "gone", "supersedes": OTHER, "retracted": True}, "computed_signal", "$.signal"),
    ({"signal": "prefer", "value": "a"}, "missing_field", "$.candidates"),
    ({"signal": "prefer", "value": "c", "candidates": PAIR}, "bad_value", "$.value"),
    ({"signal": "prefer", "value": "a", "candidates": PAIR[:1]}, "bad_value", "$.candidates"),
    ({"signal": "prefer", "value": "a", "candidates": PAIR[:1] * 2}, "bad_value", "$.candidates"),
    ({"signal": "prefer", "value": "a", "candidates": PAIR}, "unknown_output", "$.candidates[1].output_id"),
    ({"signal": "prefer", "value": "a", "candidates": PAIR, "output_id": "o-1"}, "unknown_field", "$.output_id"),
    ({"signal": "helpful", "value": True, "candidates": PAIR}, "unknown_field", "$.candidates"),
    ({"signal": "helpful", "value": True, "output_id": "o-9"}, "unknown_output", "$.output_id"),
    ({"signal": "helpful", "value": True, "occurred_at": "2026-02-30T02:00:00Z"}, "malformed", "$.occurred_at"),
    ({"signal": "helpful", "value": True, "occurred_at": "0001-01-01T00:00:00+23:59"}, "malformed", "$.occurred_at"),
    ({"signal": "helpful", "value": True, "fraction": 0.5}, "unknown_field", "$.fraction"),
    ({"signal": "helpful", "value": True, "goal": "signup"}, "unknown_field", "$.goal"),
    ({"signal": "helpful", "value": True, "new_output_id": "o-2"}, "unknown_field", "$.new_output_id"),
    ({"signal": "again", "output_id": "o-1", "new_output_id": "o-1"}, "bad_value", "$.new_output_id"),
    ({"signal": "goal", "value": 1}, "missing_field", "$.goal"),
    ({"signal": "goal", "value": 1, "goal": "other"}, "bad_value", "$.goal"),
    ({"signal": "helpful", "retracted": True}, "missing_field", "$.supersedes"),
    ({"signal": "helpful", "value": True, "supersedes": ID}, "bad_value", "$.supersedes"),
    ({"signal": "helpful", "value": True, "supersedes": OTHER, "retracted": True}, "bad_value", "$.value"),
    ({"signal": "helpful", "value": True, "level": "turn"}, "missing_field", "$.turn_id"),
    ({"signal": "helpful", "value": True, "level": "turn", "turn_id": "t", "output_id": "o-1"}, "unknown_field",
     "$.output_id"),
    ({"signal": "helpful", "value": True, "level": "session", "turn_id": "t"}, "unknown_field", "$.turn_id"),
    ({"signal": "fix", "value": "x", "level": "session"}, "bad_value", "$.level"),
    ({"signal": "helpful", "value": True, "stream": "verified"}, "forbidden", "$.stream"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "code", "path"), REFUSED)
def test_a_bad_event_is_refused_with_code_and_path(fields: dict[str, Any], code: str, path: str) -> None:
    with pytest.raises(Refusal) as raised:
        check(**fields)
    assert (raised.value.code, raised.value.path) == (code, path)
    assert raised.value.message in MESSAGES.values()


def test_a_vote_is_changed_and_taken_back_by_naming_the_one_before() -> None:
    assert check(signal="helpful", value=False, supersedes=OTHER).value is False
    assert check(signal="helpful", supersedes=OTHER, retracted=True).value is None
    bare = check(("o-1", "o-2"), signal="prefer", supersedes=OTHER, retracted=True)
    assert bare.candidates == ()


def test_a_turn_or_a_session_is_judged_as_a_whole() -> None:
    assert check(signal="helpful", value=True, level="turn", turn_id="t-1").output_id == ""
    assert check(signal="stars", value=4, level="session").output_id == ""
    event = msgspec.convert({"event_id": ID, "signal": "stars", "value": 4, "level": "session"}, IncomingFeedback)
    with pytest.raises(Refusal) as raised:
        check_feedback(event, SIGNALS, claims(session=""))
    assert raised.value.path == "$.level"


def test_an_annotators_token_admits_the_verified_stream() -> None:
    event = msgspec.convert({"event_id": ID, "signal": "stars", "value": 4, "stream": "verified"}, IncomingFeedback)
    assert check_feedback(event, SIGNALS, claims(verified=True)).value == 4


@pytest.mark.parametrize(("signal", "declined"), [("dwell", True), ("accept", True), ("helpful", False)])
def test_a_browser_that_asks_for_privacy_is_not_observed(signal: str, declined: bool) -> None:
    event = IncomingFeedback(ID, signal, value=1 if signal == "dwell" else True)
    try:
        check_feedback(event, SIGNALS, claims(), private=True)
    except Refusal as refusal:
        assert (refusal.code, declined) == ("privacy_signal", True)
    else:
        assert not declined


def test_a_trusted_server_may_name_an_output_that_nobody_knows_yet() -> None:
    event = TrustedFeedback(ID, "helpful", value=True, output_id="o-later", session_id="s")
    assert check_feedback(event, SIGNALS, claims(())).output_id == "o-later"
    by_response = TrustedFeedback(ID, "helpful", value=True, response_id="chatcmpl-1")
    assert check_feedback(by_response, SIGNALS, claims(())).output_id == ""
    with pytest.raises(Refusal) as raised:
        check_feedback(TrustedFeedback(ID, "helpful", value=True), SIGNALS, claims(()))
    assert (raised.value.code, raised.value.path) == ("missing_field", "$.output_id")


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
    ({"event_id": "7", "signal": "helpful"}, "malformed", "$.event_id"),
    ({"event_id": ID + "\n", "signal": "helpful"}, "too_large", "$.event_id"),
    ({"event_id": ID, "signal": "helpful", "secret@example.com": 1}, "unknown_field", "$"),
    ({"event_id": ID, "signal": "helpful", "consent": {"train": "no"}}, "malformed", "$.consent.train"),
    ({"event_id": ID, "signal": "helpful", "candidates": [{"output": 1}]}, "missing_field",
     "$.candidates[0].output_id"),
    ({"event_id": ID, "signal": "helpful", "candidates": [{"output_id": "o", "position": -1}]}, "malformed",
     "$.candidates[0].position"),
    ({"event_id": ID, "signal": "helpful", "value": ["style"]}, "bad_value", "$.value"),
    ({"event_id": ID, "signal": "helpful", "value": {}}, "bad_value", "$.value"),
    ({"event_id": ID, "signal": "fix", "value": "x" * 4097}, "too_large", "$.value"),
    ({"event_id": ID, "signal": "stars", "value": 10**30}, "bad_value", "$.value"),
    ({"event_id": ID, "signal": "copy", "fraction": True}, "malformed", "$.fraction"),
    ({"event_id": ID, "signal": "copy", "fraction": 1.5}, "malformed", "$.fraction"),
    ({"event_id": ID, "signal": "copy", "level": "user"}, "malformed", "$.level"),
    ({"event_id": ID, "signal": "copy", "retracted": 1}, "malformed", "$.retracted"),
    ({"event_id": ID, "signal": "copy", "supersedes": "x"}, "malformed", "$.supersedes"),
    ({"event_id": ID, "signal": "copy", "stream": "gold"}, "malformed", "$.stream"),
    ({"event_id": ID, "signal": "copy", "output_id": "o" * 201}, "too_large", "$.output_id"),
    ({"event_id": ID, "signal": "copy", "ui": {"variant": "my mail"}}, "malformed", "$.ui.variant"),
    ({"event_id": ID, "signal": "copy", "ui": {"reason_order": ["a", 2]}}, "malformed", "$.ui.reason_order[1]"),
    ({"event_id": ID, "signal": "copy", "ui": {"reason_order": ["a"] * 33}}, "too_large", "$.ui.reason_order"),
    ({"event_id": ID, "signal": "copy", "redact_hints": ["x"]}, "malformed", "$.redact_hints[0]"),
    ({"event_id": ID, "signal": "copy", "occurred_at": "yesterday"}, "malformed", "$.occurred_at"),
    ({"event_id": ID, "signal": "copy", "occurred_at": "2026-11-23T02:00:00"}, "malformed", "$.occurred_at"),
    ({"event_id": ID, "signal": "copy", "subject_id": "me"}, "unknown_field", "$"),
    ({"event_id": ID, "signal": "copy", "received_at": 1}, "unknown_field", "$"),
]  # fmt: skip


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
