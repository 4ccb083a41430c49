"""A judge's preferences become rows; below its kappa its gates only advise. The judge is a fake HTTP server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from feedbackloop.api.evaluation import Gate
from feedbackloop.api.jobs import EvaluateSpec, JudgeRef
from feedbackloop.events.records import Message
from feedbackloop.jobs.evaluate import judged
from feedbackloop.jobs.evaluate.rows import Answered
from feedbackloop.jobs.evaluate.suites import Exam
from feedbackloop.jobs.golden import GoldenItem
from feedbackloop.jobs.judging import Judge, Pair, Preference
from feedbackloop.jobs.judging.client import Client
from feedbackloop.jobs.judging.labels import Label
from feedbackloop.jobs.scorers import Answer
from feedbackloop.jobs.scorers.answer import NONE
from tests.support.fake_judge import FakeJudge, serving
from tests.unit.jobs.evaluate.test_harnessed import spec

TASTE = {"name": "taste", "suite": "own", "type": "Superiority", "metric": "judged_better"}
ASKED = (Message("user", "?"),)
CHAMPION = ("a [3]", "b [5]", "c [4]", "d [1]")
CANDIDATE = ("a [4]", "b [2]", "c [4]", "d [9]")


def labels(count: int = 45) -> tuple[Label, ...]:
    """People see what the marks say."""
    worth = [(1, 2, Preference.WIN), (2, 1, Preference.LOSS), (3, 3, Preference.TIE)]
    return tuple(
        Label(Pair(f"l{at}", ASKED, f"x{at} [{one}]", f"y{at} [{other}]"), verdict)
        for at in range(count)
        for one, other, verdict in [worth[at % 3]]
    )


@pytest.fixture
def fake() -> Iterator[tuple[FakeJudge, str]]:
    judge = FakeJudge()
    with serving(judge) as url:
        yield judge, url


def told(*gates: dict[str, Any]) -> EvaluateSpec:
    return spec(*gates)


def opened(url: str, known: tuple[Label, ...] | None = None) -> Judge:
    ref = JudgeRef(url=url, model="fake-judge", family="llama", labels_object="l", labels_digest="sha256:0")
    return Judge(ref, labels() if known is None else known, Client(url, "fake-judge", "", threading.Event()).ask)


def answered() -> Answered:
    items = tuple(GoldenItem(f"q{at}", "t", ASKED, intent="") for at in range(4))
    exam = Exam({"own": items}, frozenset(), {"own": "sha256:" + "e" * 64})
    return Answered(exam, {"own": [Answer(text) for text in CHAMPION]}, {"own": [Answer(text) for text in CANDIDATE]})


def test_wins_losses_and_ties_are_rows_and_people_stand_beside_them(fake: tuple[FakeJudge, str]) -> None:
    found = judged.compare(opened(fake[1]), told(TASTE), answered())
    scored = found.scored(Gate.model_validate(TASTE), answered())
    assert [(row.champion, row.candidate) for row in scored.rows] == [
        (False, True),
        (True, False),
        (True, True),
        (False, True),
    ]
    assert scored.advisory == ""
    assert sum(scored.judge["table"]) == 45
    assert (scored.judge["family"], scored.judge["kappa"]) == ("llama", 1.0)
    assert "[4]" not in str(scored.rows)


def test_a_judge_of_the_models_own_family_only_advises(fake: tuple[FakeJudge, str], tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    models = {"champion": tmp_path / "another", "candidate": tmp_path}
    scored = judged.compare(opened(fake[1]), told(TASTE), answered(), models).scored(
        Gate.model_validate(TASTE), answered()
    )
    assert scored.advisory == "the judge is of family llama, and so is the candidate by config.json"


def test_a_judge_that_people_do_not_agree_with_only_advises(fake: tuple[FakeJudge, str]) -> None:
    fake[0].better = lambda one, other: -1 if "y" in one else 1 if "y" in other else 0
    scored = judged.compare(opened(fake[1]), told(TASTE), answered()).scored(Gate.model_validate(TASTE), answered())
    assert "kappa is" in scored.advisory


def test_an_item_that_two_gates_look_at_is_compared_once(fake: tuple[FakeJudge, str]) -> None:
    judged.compare(opened(fake[1], ()), told(TASTE, TASTE | {"name": "again"}), answered())
    different = sum(one != other for one, other in zip(CHAMPION, CANDIDATE, strict=True))
    assert len(fake[0].asked) == 2 * different


def test_an_item_that_neither_model_could_answer_has_no_score(fake: tuple[FakeJudge, str]) -> None:
    nothing = Answer("", NONE)
    one = answered()
    silent = replace(
        one,
        champion={"own": [nothing, *one.champion["own"][1:]]},
        candidate={"own": [nothing, *one.candidate["own"][1:]]},
    )
    scored = judged.compare(opened(fake[1]), told(TASTE), silent).scored(Gate.model_validate(TASTE), silent)
    assert [row.unscored for row in scored.rows] == [True, False, False, False]


def test_without_such_a_gate_nothing_is_compared() -> None:
    assert judged.judged_places(told(), answered().exam) == {}
