"""Both models' answers become a gate's rows."""

from __future__ import annotations

import pytest

from feedbackloop.api.evaluation import Gate
from feedbackloop.events.records import Message
from feedbackloop.jobs.evaluate.rows import Answered
from feedbackloop.jobs.evaluate.suites import Exam, topics
from feedbackloop.jobs.golden import GoldenItem
from feedbackloop.jobs.scorers import Answer
from feedbackloop.jobs.scorers.answer import LENGTH, NONE

UNCHANGED = Gate.model_validate(
    {"name": "kept", "suite": "golden", "slice": "unchanged", "type": "NonInferiority", "margin": "0.05"}
)
ALL = Gate.model_validate({"name": "all", "suite": "golden", "type": "Superiority"})
STOPPED = Gate.model_validate({"name": "ends", "suite": "golden", "type": "NoNewFailures", "metric": "stopped"})
SHORT = Gate.model_validate(
    {"name": "short", "suite": "golden", "type": "Bootstrap", "metric": "output_tokens", "maxLoss": "1"}
)
SIZE = Gate.model_validate(
    {"name": "size", "suite": "golden", "type": "Limit", "metric": "model_bytes", "maxValue": "9"}
)
YES, NO = Answer("It is right!", tokens=3), Answer("no", LENGTH, 9)


def item(number: int, topic: str) -> GoldenItem:
    return GoldenItem(str(number), topic, (Message("user", "?"),), ("right",), intent=f"i{number // 2}")


def answered(champion: list[Answer], candidate: list[Answer], corrected: set[str]) -> Answered:
    items = tuple(item(n, topic) for n, topic in enumerate(("old", "old", "new", "new", "new")))
    exam = Exam({"golden": items}, frozenset(corrected))
    return Answered(exam, {"golden": champion}, {"golden": candidate}, {"champion": 7, "candidate": 8})


def test_items_are_paired_in_order_with_their_intents_and_without_their_texts() -> None:
    rows = answered([YES, YES, NO, NO, YES], [YES, NO, YES, NO, YES], set()).rows(ALL)
    pairs = [(row.champion, row.candidate) for row in rows]
    assert pairs == [(True, True), (True, False), (False, True), (False, False), (True, True)]
    assert [row.intent for row in rows] == ["i0", "i0", "i1", "i1", "i2"]
    assert rows[0].champion_answer == rows[0].candidate_answer != rows[1].candidate_answer
    assert "right" not in str(rows)


def test_the_unchanged_slice_leaves_out_topics_with_an_accepted_correction() -> None:
    found = answered([YES] * 5, [YES, NO, NO, NO, YES], {"new"})
    assert [row.id for row in found.rows(UNCHANGED)] == ["0", "1"]
    assert answered([YES] * 5, [YES] * 5, {"new", "old"}).rows(UNCHANGED) == ()


def test_numbers_and_ends_of_answers_are_scored_too() -> None:
    found = answered([YES] * 5, [YES, NO, YES, YES, YES], set())
    assert [row.candidate for row in found.rows(STOPPED)] == [True, False, True, True, True]
    assert [row.candidate for row in found.rows(SHORT)][:2] == [3.0, 9.0]


def test_an_item_that_is_too_long_for_the_model_is_wrong_and_has_no_number() -> None:
    found = answered([YES] * 5, [Answer("", NONE), *[YES] * 4], set())
    row = found.rows(ALL)[0]
    assert (row.champion, row.candidate, row.candidate_answer) == (True, False, "")
    assert found.rows(SHORT)[0].unscored


def test_the_models_size_is_one_row() -> None:
    (row,) = answered([YES] * 5, [YES] * 5, set()).rows(SIZE)
    assert (row.champion, row.candidate) == (7.0, 8.0)


def test_accuracies_are_given_by_suite_and_by_the_slices_of_gates() -> None:
    found = answered([YES, YES, NO, NO, NO], [YES] * 5, {"new"}).accuracy([ALL, UNCHANGED])
    assert found == {
        "golden": {"champion": 0.4, "candidate": 1.0},
        "golden/unchanged": {"champion": 1.0, "candidate": 1.0},
    }
    assert "golden/unchanged" not in answered([YES] * 5, [YES] * 5, {"new", "old"}).accuracy([UNCHANGED])


def test_corrected_topics_are_a_list_of_names() -> None:
    assert topics(b'["a","b"]') == {"a", "b"}
    with pytest.raises(Exception, match="is not a list of topics"):
        topics(b'{"a": 1}')
