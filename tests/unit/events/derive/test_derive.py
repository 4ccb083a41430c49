"""Computed signals of whole sessions."""

from __future__ import annotations

import random

import pytest

from feedbackloop.api.collection import SignalKind
from feedbackloop.events.derive import Action, Answer, Correction, Derivation, Derived, derive, edit_distance

MINUTE = 60_000
ALL = frozenset(SignalKind)


def said(minute: float, output: str, question: str, *, session: str = "s", parent: str = "") -> Answer:
    return Answer(int(minute * MINUTE), output, session, "anna", question, "an answer about refunds", parent)


def found(answers: list[Answer], actions: list[Action] | None = None, *, until: float = 600) -> list[Derived]:
    return derive(answers, actions or [], [], Derivation(ALL, 30 * MINUTE, int(until * MINUTE)))


def of(kind: SignalKind, derived: list[Derived]) -> list[tuple[str, object, str]]:
    return [(each.output_id, each.value, each.detail) for each in derived if each.kind is kind]


def test_a_conversation_is_read_turn_by_turn() -> None:
    derived = found(
        [
            said(0, "o-1", "How long can I return a jacket?"),
            said(1, "o-2", "what about shoes?"),
            said(2, "o-3", "Which bus goes to the museum?"),
            said(3, "o-4", "thanks, perfect"),
        ]
    )
    assert of(SignalKind.FOLLOW_UP, derived) == [
        ("o-1", "refine", "follow-up/1"),
        ("o-2", "new_task", "follow-up/1"),
        ("o-3", "thanks", "follow-up/1"),
    ]
    assert of(SignalKind.REGENERATE, derived) == []
    assert of(SignalKind.ABANDONMENT, derived) == [("o-4", 30 * MINUTE, "")]


def test_the_same_question_at_once_is_a_regeneration_and_no_follow_up() -> None:
    derived = found([said(0, "o-1", "A poem, please"), said(1, "o-2", " a poem,  PLEASE"), said(2, "o-3", "thanks")])
    assert of(SignalKind.REGENERATE, derived) == [("o-1", None, "o-2")]
    assert of(SignalKind.FOLLOW_UP, derived) == [("o-2", "thanks", "follow-up/1")]


def test_the_app_knows_better_which_answer_is_replaced() -> None:
    answers = [said(0, "o-1", "A poem"), said(1, "o-2", "Another topic"), said(2, "o-3", "A poem", parent="o-1")]
    assert of(SignalKind.REGENERATE, found(answers)) == [("o-1", None, "o-3")]
    unknown = [said(0, "o-1", "A poem"), said(1, "o-2", "A poem", parent="o-0")]
    assert of(SignalKind.REGENERATE, found(unknown)) == []


@pytest.mark.parametrize(
    ("actions", "until", "left"),
    [
        ([], 29.9, False),
        ([], 30, True),
        ([Action(30 * MINUTE, "s")], 60, False),
        ([Action(30 * MINUTE + 1, "s")], 60, True),
        ([Action(5 * MINUTE, "another session")], 60, True),
        ([Action(0, "s")], 60, True),
    ],
)
def test_an_answer_is_abandoned_when_its_window_ends_without_an_action(
    actions: list[Action], until: float, left: bool
) -> None:
    derived = found([said(0, "o-1", "q")], actions, until=until)
    assert bool(of(SignalKind.ABANDONMENT, derived)) is left


def test_a_user_who_comes_back_too_late_has_left_the_answer_before() -> None:
    derived = found([said(0, "o-1", "a"), said(40, "o-2", "b"), said(50, "o-3", "c")], until=60)
    assert of(SignalKind.ABANDONMENT, derived) == [("o-1", 30 * MINUTE, "")]


def test_sessions_are_kept_apart_and_answers_without_one_follow_nothing() -> None:
    answers = [said(0, "o-1", "a", session="x"), said(1, "o-2", "a", session="y"), said(2, "o-3", "a", session="")]
    derived = found(answers)
    assert of(SignalKind.REGENERATE, derived) == of(SignalKind.FOLLOW_UP, derived) == []


def test_only_declared_kinds_are_computed() -> None:
    wanted = Derivation({SignalKind.ABANDONMENT}, 1, MINUTE * 100)
    kinds = {each.kind for each in derive([said(0, "o-1", "a"), said(1, "o-2", "a")], [], [], wanted)}
    assert kinds == {SignalKind.ABANDONMENT}


def test_the_order_of_arrival_does_not_matter() -> None:
    answers = [said(n, f"o-{n}", f"question {n % 3}", session=f"s{n % 2}") for n in range(12)]
    shuffled = answers.copy()
    random.Random(7).shuffle(shuffled)
    assert found(answers) == found(shuffled)


@pytest.mark.parametrize(
    ("before", "after", "distance"),
    [
        ("thirty days", "thirty days", 0.0),
        ("thirty days", " thirty days\n", 0.0),
        ("abcd", "abcx", 0.25),
        ("ab", "xy", 1.0),
        ("", "", 0.0),
    ],
)
def test_the_distance_of_a_correction_is_normalised(before: str, after: str, distance: float) -> None:
    assert edit_distance(before, after) == distance


def test_a_correction_becomes_an_edit_where_the_loop_declares_one() -> None:
    correction = Correction(5, "o-1", "s", "anna", "fourteen days", "thirty days")
    (edit,) = derive([], [], [correction], Derivation(ALL, 1, 1))
    assert (edit.kind, edit.output_id, edit.detail) == (SignalKind.EDIT, "o-1", "correction")
    assert edit.value == edit_distance("fourteen days", "thirty days")
