"""What the verbs ask for, and what they say became of it."""

from __future__ import annotations

import pytest

from feedbackloop.cli import actions
from feedbackloop.cli.main import main
from tests.unit.cli import given
from tests.unit.cli.conftest import Kube

DONE = {"status": {"result": "Done", "message": "alice approves, 2 of 2"}}
VOID = {"status": {"result": "Void", "message": "the run is at step 1, not 3"}}


@pytest.fixture(autouse=True)
def a_run(kube: Kube) -> None:
    kube.holds("improvementruns", given.RUN, given.run())
    kube.holds("rolloutactions", "asked", DONE)


def test_an_approval_is_bound_to_the_candidate_and_the_step_of_now(
    kube: Kube, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["approve", given.RUN, "-n", "ml", "--comment", "looked at 20 answers"]) == 0
    assert capsys.readouterr().out == f"Approve {given.RUN}: alice approves, 2 of 2\n"
    assert kube.created["metadata"] == {"generateName": f"{given.RUN}-approve-"}
    assert kube.created["spec"] == {
        "runName": given.RUN,
        "action": "Approve",
        "digest": given.model("b")["digest"],
        "stepIndex": 2,
        "user": "alice",
        "groups": ["ml-owners", "system:authenticated"],
        "comment": "looked at 20 answers",
    }
    assert all(call.startswith("--namespace ml ") for call in kube.calls if "auth" not in call)


@pytest.mark.parametrize(
    ("words", "action", "step"),
    [
        (["reject"], "Reject", True),
        (["pause"], "Pause", False),
        (["resume"], "Resume", False),
        (["promote"], "Promote", True),
        (["promote", "--full"], "PromoteFull", False),
        (["abort"], "Abort", False),
        (["retry"], "Retry", False),
    ],
)
def test_each_verb_asks_for_its_action(kube: Kube, words: list[str], action: str, step: bool) -> None:
    assert main([*words, given.RUN]) == 0
    assert (kube.created["spec"]["action"], "stepIndex" in kube.created["spec"]) == (action, step)


def test_a_void_action_says_why(kube: Kube, capsys: pytest.CaptureFixture[str]) -> None:
    kube.holds("rolloutactions", "asked", VOID)
    assert main(["promote", given.RUN]) == 1
    assert "the run is at step 1, not 3" in capsys.readouterr().err


def test_an_action_that_nobody_answers_is_named(kube: Kube, capsys: pytest.CaptureFixture[str]) -> None:
    kube.holds("rolloutactions", "asked", {})
    assert main(["pause", given.RUN, "--wait", "0"]) == 1
    assert "not answered yet; it is asked for by asked" in capsys.readouterr().err


def test_a_refusal_is_told_in_the_words_of_the_policy(kube: Kube, capsys: pytest.CaptureFixture[str]) -> None:
    policy = "ValidatingAdmissionPolicy 'a' with binding 'a' denied request: spec.action: alice may not abort it"
    kube.refuses(f'Error from server (Forbidden): error when creating "STDIN": rolloutactions is forbidden: {policy}\n')
    assert main(["abort", given.RUN]) == 2
    assert capsys.readouterr().err == "feedbackloop: kubectl create -f: spec.action: alice may not abort it\n"


def test_nothing_can_be_approved_before_there_is_a_rollout(kube: Kube, capsys: pytest.CaptureFixture[str]) -> None:
    kube.holds("improvementruns", given.RUN, given.run(rollout=None, candidate=None))
    assert main(["approve", given.RUN]) == 2
    assert "nothing to approve yet" in capsys.readouterr().err


def test_a_run_that_is_not_there_is_told(kube: Kube, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["abort", "nobody"]) == 2
    assert "there is no ImprovementRun nobody" in capsys.readouterr().err


def test_a_comment_that_is_too_long_is_refused_by_its_field(kube: Kube, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["abort", given.RUN, "--comment", "x" * 501]) == 2
    assert "comment" in capsys.readouterr().err


def test_of_too_many_groups_those_of_people_are_named() -> None:
    groups = (*(f"system:g{n}" for n in range(40)), "ml-owners")
    named = actions._groups(groups)
    assert (named[0], len(named)) == ("ml-owners", actions.MOST_GROUPS)
