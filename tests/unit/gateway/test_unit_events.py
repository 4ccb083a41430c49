"""What a unit counts beyond thumbs: answers to questions, what happened, and means."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from feedbackloop.events.codec import Stored
from feedbackloop.events.records import FeedbackRecord
from feedbackloop.gateway.meta import Outcome, OutcomesSet
from feedbackloop.gateway.state import Snapshot, State
from feedbackloop.gateway.unit import KEPT_MARKS
from feedbackloop.gateway.units import LARGEST
from tests.unit.gateway.test_units import answer, session


def said(kind: str, at: int, value: Any = None, output: str = "o-1", **fields: Any) -> FeedbackRecord:
    made = FeedbackRecord(f"e-{at}", at, "a", "signal", kind, value=value, output_id=output, session=session("a"),
                          run_uid="run", epoch=1)  # fmt: skip
    return msgspec.structs.replace(made, **fields)


def counted(event: str, *entries: Stored) -> list[int]:
    """Units, rated, events, total and squares of one session with these events."""
    return next(iter(state(event, *entries).units.counts.values()))


def state(event: str, *entries: Stored, until: int = 100_000) -> State:
    made = State()
    for entry in (OutcomesSet(0, (Outcome("outcome", "signal", event, 1000),)), answer("a", 10), *entries):
        made.apply(entry)
    made.tick(until)
    return made


@pytest.mark.parametrize(("value", "events"), [("no", 1), ("yes", 0), ("unsure", 0)])
def test_a_question_counts_when_its_last_answer_is_no(value: str, events: int) -> None:
    other = "yes" if value == "no" else "no"
    found = counted("AnsweredNo", said("Question", 20, other), said("Question", 30, value))
    assert found == [1, 1, events, 0, 0]


def test_nobody_who_was_not_asked_is_rated() -> None:
    assert counted("AnsweredNo") == [1, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("event", "kind", "value"),
    [("Regenerated", "Regenerate", None), ("Edited", "Edit", 0.4), ("Edited", "Correction", "so"),
     ("Skipped", "Skip", None)],
)  # fmt: skip
def test_what_happened_counts_once_and_what_did_not_is_known_too(event: str, kind: str, value: Any) -> None:
    happened = [said(kind, 20, value), said(kind, 30, value, "o-2")]
    assert counted(event, *happened) == [1, 1, 1, 0, 0]
    assert counted(event) == [1, 1, 0, 0, 0]
    assert counted(event, said(kind, 2000, value)) == [1, 1, 0, 0, 0], "after the window"


def test_what_was_taken_back_has_not_happened() -> None:
    gone = said("Regenerate", 30, supersedes="e-20", retracted=True)
    assert counted("Regenerated", said("Regenerate", 20), gone) == [1, 1, 0, 0, 0]
    assert counted("Regenerated", gone, said("Regenerate", 20)) == [1, 1, 0, 0, 0]


def test_an_edit_that_changed_nothing_is_none() -> None:
    assert counted("Edited", said("Edit", 20, 0.0)) == [1, 1, 0, 0, 0]


def test_a_mean_is_of_the_last_value_of_each_output() -> None:
    stars = [said("Stars", 20, 5), said("Stars", 30, 2), said("Stars", 40, 5, "o-2")]
    assert counted("Mean", *stars) == [1, 1, 0, 3500, 3500**2]
    assert counted("Mean", *stars, said("Stars", 50, 4, supersedes="e-40")) == [1, 1, 0, 4000, 4000**2]


def test_a_look_is_counted_in_seconds() -> None:
    assert counted("Mean", said("Dwell", 20, 1500)) == [1, 1, 0, 1500, 1500**2]


def test_a_mean_of_nothing_is_unrated() -> None:
    assert counted("Mean") == [1, 0, 0, 0, 0]


def test_values_of_so_many_outputs_are_kept_and_no_more() -> None:
    made = state("Mean", *(said("Stars", 20 + n, 1, f"o-{n}") for n in range(KEPT_MARKS + 5)), until=500)
    (unit,) = made.units.open_units()
    assert len(unit.marks["signal"]) == KEPT_MARKS


def test_sums_stop_before_they_would_break_a_checkpoint() -> None:
    made = state("Mean", said("Dwell", 20, 3_600_000), until=500)
    made.units.counts["run", 1, "stable", "outcome"] = [1, 1, 0, LARGEST, LARGEST]
    made.tick(5000)
    assert made.units.counts["run", 1, "stable", "outcome"][3:] == [LARGEST, LARGEST]
    assert msgspec.msgpack.encode(made.snapshot())


def test_an_event_about_an_answer_that_a_header_led_elsewhere_counts_no_more() -> None:
    assert counted("Regenerated", said("Regenerate", 20, by_header=True)) == [1, 1, 0, 0, 0]


def test_a_session_that_a_header_led_to_the_canary_counts_in_neither_arm() -> None:
    made = state("Regenerated", answer("a", 20, arm="canary", by_header=True), answer("a", 30))
    assert (dict(made.units.counts), len(made.units)) == ({}, 0)
    assert [arm for _, _, arm in made.traffic.counts] == ["stable"]


def test_open_marks_lie_in_the_checkpoint() -> None:
    made = state("Mean", said("Stars", 20, 5), until=500)
    data = msgspec.msgpack.encode(made.snapshot())
    again = State.restored(msgspec.msgpack.decode(data, type=Snapshot))
    again.apply(said("Stars", 30, 2, "o-2"))
    again.tick(100_000)
    assert next(iter(again.units.counts.values())) == [1, 1, 0, 3500, 3500**2]


def test_a_checkpoint_of_before_is_read() -> None:
    """As the gateway wrote it before there were sums, shadows and first tokens."""
    now = msgspec.to_builtins(state("ThumbsDown", until=500).snapshot())
    del now["shadow"]
    now["units"] = [unit[:8] for unit in now["units"]]
    now["counts"] = [[["run", 1, "stable", "outcome"], [7, 3, 1]]]
    now["traffic"] = [[["run", 1, "stable"], [9, 1, 2, [0] * 30]]]
    again = State.restored(msgspec.msgpack.decode(msgspec.msgpack.encode(now), type=Snapshot))
    assert again.units.counts["run", 1, "stable", "outcome"] == [7, 3, 1, 0, 0]
    traffic = again.traffic.counts["run", 1, "stable"]
    assert (traffic.requests, traffic.streamed, traffic.cancelled) == (9, 0, 0)
    assert len(again.units) == 1
