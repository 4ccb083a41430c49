from __future__ import annotations

from typing import Any

import pytest

from feedbackloop.api.improvementrun import RunOutcome
from feedbackloop.api.rollout import Step
from feedbackloop.api.rolloutaction import Action, ActionResult
from tests.unit.domain.rollout.test_verbs import finding, quiet, ticks
from tests.unit.domain.rollout.world import CANDIDATE, OTHER, World

HERE = {"digest": CANDIDATE, "step_index": 1}


def waiting(**approval: Any) -> World:
    world = quiet({"setWeight": 10}, {"approval": approval}, {"setWeight": 20}, {"approval": {}})
    world.run_until(step_index=1)
    return world


def test_an_approval_lets_the_steps_go_on_and_keeps_who_and_when() -> None:
    world = waiting()
    ticks(world, 5)
    assert finding(world, "ApprovalPending") == (
        True,
        "ApprovalPending",
        "step 2: 0 of 1 approvals for candidate bbbbbbbbbbbb",
    )
    assert world.answer(Action.APPROVE, comment="tried it", **HERE)[0] is ActionResult.DONE
    world.run_until(weight=20)
    kept = world.status.approvals[0]
    assert (kept.user, kept.comment, kept.step_index, kept.digest) == ("ann@example.org", "tried it", 1, CANDIDATE)


def test_nobody_is_two_people() -> None:
    world = waiting(minApprovals=2)
    assert world.answer(Action.APPROVE, **HERE)[0] is ActionResult.DONE
    assert world.answer(Action.APPROVE, **HERE)[0] is ActionResult.DONE
    ticks(world, 3)
    assert world.status.step_index == 1
    assert finding(world, "ApprovalPending") == (
        True,
        "ApprovalPending",
        "step 2: 1 of 2 approvals for candidate bbbbbbbbbbbb",
    )
    world.answer(Action.APPROVE, user="bob@example.org", **HERE)
    world.run_until(weight=20)
    assert any(r.why == "step 2 is approved by ann@example.org, bob@example.org" for r in world.records)


def test_only_members_of_the_groups_count() -> None:
    world = waiting(groups=["ml-owners", "sre"])
    assert world.answer(Action.APPROVE, groups=("interns",), **HERE) == (
        ActionResult.VOID,
        "ann@example.org is in none of the groups that may approve: ml-owners, sre",
    )
    assert world.answer(Action.APPROVE, groups=("interns", "sre"), **HERE)[0] is ActionResult.DONE
    world.run_until(weight=20)


@pytest.mark.parametrize("bound", [{"digest": OTHER}, {"step_index": 3}, {"digest": None}, {"step_index": None}])
def test_an_approval_is_bound_to_the_candidate_and_the_step(bound: dict[str, Any]) -> None:
    world = waiting()
    assert world.answer(Action.APPROVE, **(HERE | bound))[0] is ActionResult.VOID
    ticks(world, 3)
    assert (world.status.step_index, world.status.approvals) == (1, ())


def test_an_approval_does_not_count_for_a_later_step() -> None:
    world = waiting()
    world.answer(Action.APPROVE, **HERE)
    world.run_until(step_index=3)
    ticks(world, 5)
    assert world.status.step_index == 3


def test_an_approval_is_void_once_the_steps_have_changed() -> None:
    world = waiting(minApprovals=2)
    world.answer(Action.APPROVE, **HERE)
    edited = list(world.spec.steps)
    edited[0] = Step.model_validate({"setWeight": 5})
    world.steps = tuple(edited)
    world.run_until(weight=5)
    world.run_until(step_index=1)
    assert world.status.approvals == ()
    assert finding(world, "ApprovalPending") == (
        True,
        "ApprovalPending",
        "step 2: 0 of 2 approvals for candidate bbbbbbbbbbbb",
    )


def test_a_rejection_takes_the_candidate_back() -> None:
    world = waiting()
    assert world.answer(Action.REJECT, comment="rude", **HERE)[0] is ActionResult.DONE
    assert world.run_until_end() is RunOutcome.ROLLED_BACK
    assert world.status.abort is not None
    assert world.status.abort.reason == "Rejected"
    assert world.status.approvals[0].approved is False


def test_a_rejection_is_bound_as_an_approval_is() -> None:
    world = waiting()
    assert world.answer(Action.REJECT, digest=OTHER, step_index=1)[0] is ActionResult.VOID
    assert world.status.abort is None


def test_nobody_in_time_ends_it_as_inconclusive() -> None:
    world = waiting(timeoutSeconds=60)
    assert world.run_until_end(300) is RunOutcome.INCONCLUSIVE
    assert world.status.abort is not None
    assert world.status.abort.reason == "ApprovalTimeout"


def test_nobody_in_time_can_also_pause_until_somebody_approves() -> None:
    world = waiting(timeoutSeconds=60, onTimeout="Pause")
    world.run_until(pause_reason="ApprovalTimeout")
    ticks(world, 5)
    assert world.answer(Action.APPROVE, **HERE)[0] is ActionResult.DONE
    assert world.status.pause_reason == ""
    world.run_until(weight=20)


def test_a_resumed_approval_step_waits_its_whole_time_again() -> None:
    world = waiting(timeoutSeconds=60, onTimeout="Pause")
    world.run_until(pause_reason="ApprovalTimeout")
    world.answer(Action.RESUME)
    ticks(world, 20)
    assert world.status.pause_reason == ""
    world.run_until(pause_reason="ApprovalTimeout")


def test_a_pause_keeps_an_approval_from_ending_the_rollout() -> None:
    world = waiting(timeoutSeconds=60)
    world.paused = True
    ticks(world, 60)
    assert world.status.abort is None
