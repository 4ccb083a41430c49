"""Computed signals in a data set: counted, told only of those who agreed, and never a row."""

from __future__ import annotations

from dataclasses import replace

import pytest

from feedbackloop.api.collection import Signal, SignalKind
from tests.unit.jobs.curate.world import CONFIG, SIGNALS, Log, pack, reasons, rows

COMPUTED = (
    Signal(name="next", kind=SignalKind.FOLLOW_UP),
    Signal(name="gone", kind=SignalKind.ABANDONMENT),
    Signal(name="again", kind=SignalKind.REGENERATE),
    Signal(name="edit", kind=SignalKind.EDIT),
)
MINUTE = 60_000


def log(*signals: Signal) -> Log:
    return Log(config=replace(CONFIG, signals=(*SIGNALS, *signals)))


def talk(log: Log, *questions: str, consent: bool | None = True) -> list[str]:
    """One session, a question a minute; the ids of its answers."""
    return [
        log.ask(text, "Thirty days with the receipt.", session="s", received_at=n * MINUTE, consent=consent)
        for n, text in enumerate(questions, 1)
    ]


def test_sessions_are_read_for_the_kinds_that_the_loop_declares() -> None:
    made = log(*COMPUTED)
    talk(made, "How long can I return it?", "how long can I return it?", "what about shoes?", "thanks")
    data = made.curate()
    assert data.computed.counts() == {"again": 1, "next/refine": 1, "next/thanks": 1}
    lines = rows(pack(made), "computed.jsonl")
    assert {(line["signal"], line["value"], line["output_id"], line["detail"]) for line in lines} == {
        ("again", None, "o0.0", "o1.0"),
        ("next", "refine", "o1.0", "follow-up/1"),
        ("next", "thanks", "o2.0", "follow-up/1"),
    }
    assert log().curate().computed.counts() == {}


def test_an_answer_is_abandoned_when_its_time_is_over() -> None:
    made = log(*COMPUTED)
    talk(made, "How long can I return it?")
    assert made.curate().computed.counts() == {}
    made.ask("somebody else", session="t", received_at=40 * MINUTE)
    assert made.curate().computed.counts() == {"gone": 1}
    made.send("author", "o0.0", "helpful", True, session="s", order=(5 * MINUTE, "gateway-0", 0))
    assert made.curate().computed.counts() == {}


def test_that_a_form_was_shown_is_no_action_of_anybody() -> None:
    made = log(*COMPUTED)
    talk(made, "How long can I return it?")
    made.send("author", "o0.0", "shown", None, session="s", order=(2 * MINUTE, "gateway-0", 0))
    made.ask("somebody else", session="t", received_at=40 * MINUTE)
    assert made.curate().computed.counts() == {"gone": 1}


@pytest.mark.parametrize("consent", [None, False])
def test_nothing_is_told_of_those_who_did_not_agree(consent: bool | None) -> None:
    made = log(*COMPUTED)
    talk(made, "How long can I return it?", "what about shoes?", consent=consent)
    assert made.curate().computed.counts() == {}


def test_what_a_client_said_itself_is_not_computed_again() -> None:
    made = log(*COMPUTED)
    first, _ = talk(made, "a poem", "a poem")
    made.send("author", first, "again", None, session="s", order=(3 * MINUTE, "gateway-0", 0))
    assert made.curate().computed.counts() == {}


def test_the_distance_of_corrections_is_measured_when_they_are_joined() -> None:
    made = log(*COMPUTED)
    made.correct("q1", "Thirty days.", ["ann"], answer="Thirty days!")
    made.correct("q2", "no", ["ben"], answer="You can return it within thirty days.")
    data = made.curate()
    assert data.computed.distances.values == (pytest.approx(1 / 12, abs=1e-6), pytest.approx(0.972973))
    assert data.computed.distances.summary() == {"mean": 0.528153, "asIs": 0, "changed": 1, "rewritten": 1}
    assert data.computed.counts() == {"edit": 2}
    assert set(reasons(data)) == {"e0", "e1"}, "computed signals are no events of the log"
